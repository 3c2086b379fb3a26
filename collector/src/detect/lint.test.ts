import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lintRules } from './lint.ts';
import { ruleWith } from './testing/plain-events.ts';

const knownFields = [
  { name: 'gen_ai.tool.name' },
  { name: 'span.start_time' },
  { name: 'spanwarden.effect.kinds' },
  { name: 'spanwarden.argument', open: true },
] as const;
const lint = (text: string) => lintRules([{ path: 'r.yml', text }], { knownFields });
const good = 'description: d\ntags: [owasp.asi01]\n';
const ofField = (field: string) => lint(ruleWith(`s:\n  ${field}: x\ncondition: s`, good));

test('a clean rule has nothing to say', () => {
  const { errors, warnings } = ofField('gen_ai.tool.name');
  assert.deepEqual([errors, warnings], [[], []]);
});

test('one run names every error of a rule, whatever comes first', () => {
  const { errors } = lint(
    'title: T\nid: 7f2a4c0e-6a55-4f0e-9a51-0d7a3b1f1c11\nlogsource: {product: ai_agent, category: tol}\ndetection:\n' +
      '  s:\n    gen_ai.tool.name|contians: x\n    span.name|re: "a(?=b)"\n  condition: s and typo\nlevel: hi\n',
  );
  assert.deepEqual(
    errors.map(({ code, position }) => `${position!.line} ${code}`),
    [
      '3 SW_RULE_VALUE',
      '6 SW_RULE_MODIFIER',
      '7 SW_RULE_FIELD',
      '7 SW_RULE_REGEX',
      '8 SW_RULE_CONDITION',
      '9 SW_RULE_VALUE',
    ],
  );
});

test('fields that only we define must exist', () => {
  const { errors } = ofField('spanwarden.effects.kind');
  assert.equal(errors[0]!.code, 'SW_RULE_FIELD');
  assert.match(errors[0]!.advice!, /spanwarden\.effect\.kinds/);
  assert.equal(errors[0]!.position!.line, 8);
  assert.deepEqual(ofField('spanwarden.argument.amount').errors, []);
  assert.deepEqual(
    ofField('span.start_time|hour').errors.filter(({ code }) => code === 'SW_RULE_FIELD'),
    [],
  );
});

test("OTel's names grow: an unknown one is a warning, an own attribute nothing", () => {
  assert.match(ofField('gen_ai.tool.nme').warnings[0]!.advice!, /gen_ai\.tool\.name/);
  assert.deepEqual(ofField('gen_ai.tool.nme').errors, []);
  assert.deepEqual(ofField('shop.region').warnings, []);
});

test('the other field of fieldref is looked at too', () => {
  const { errors } = lint(ruleWith('s:\n  gen_ai.tool.name|fieldref: spanwarden.nothing\ncondition: s', good));
  assert.match(errors[0]!.message, /spanwarden\.nothing/);
});

test('tags are held against their lists', () => {
  const tags = 'description: d\ntags: [owasp.llm11, atlas.aml.t9999, nowhere.x, attack.t1567]\n';
  const { warnings } = lint(ruleWith('s:\n  gen_ai.tool.name: x\ncondition: s', tags));
  assert.deepEqual(
    warnings.map(({ message }) => message.split('`')[1]),
    ['owasp.llm11', 'atlas.aml.t9999', 'nowhere.x'],
  );
  assert.deepEqual(
    warnings.map(({ position }) => position?.column),
    [8, 21, 38],
  );
});

test('missing id, description and tags, and keywords, are warnings', () => {
  const text = ruleWith('s: needle\ncondition: s').replace(/id:.*\n/, '');
  const { warnings } = lint(text);
  for (const word of ['no id', 'no description', 'no tags', 'keywords search']) {
    assert.ok(
      warnings.some(({ message }) => message.includes(word)),
      word,
    );
  }
});
