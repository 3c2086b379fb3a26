import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Ajv } from 'ajv';
import { parseAllDocuments } from 'yaml';
import { readRuleFiles, shippedRulesPath } from '../collector/src/cli/load-rules.ts';
import { createTestEvents } from '../collector/src/cli/rule-test-events.ts';
import { lintRules } from '../collector/src/detect/lint.ts';
import { loadRules, type RuleSource } from '../collector/src/detect/load.ts';
import { runRuleTests } from '../collector/src/detect/rule-tests.ts';
import { createFieldTable } from '../collector/src/model/fields.ts';
import { taxonomy } from '../collector/src/normalise/taxonomy.ts';
import { ruleFileSchema, ruleTestSchema } from './rule-schema.ts';

const ajv = new Ajv({
  strict: true,
  strictRequired: false,
  allowUnionTypes: true,
  allowMatchingProperties: true,
  allErrors: true,
});
const isRule = ajv.compile(ruleFileSchema());
const isRuleTest = ajv.compile(ruleTestSchema());

function refusals(validate: typeof isRule, text: string): string[] {
  const documents = parseAllDocuments(text, { schema: 'core' });
  assert.ok(Array.isArray(documents));
  return documents.flatMap((document) => {
    assert.deepEqual(document.errors, []);
    const value: unknown = document.toJS();
    if (value === null || validate(value)) return [];
    return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
  });
}

describe('what ships validates', () => {
  const files = readRuleFiles([shippedRulesPath()]);
  const check = (validate: typeof isRule, sources: readonly RuleSource[]) => {
    assert.ok(sources.length > 20);
    for (const { path, text } of sources) assert.deepEqual(refusals(validate, text), [], path);
  };
  test('every rule', () => check(isRule, files.rules));
  test('every rule test', () => check(isRuleTest, files.tests));
});

const head = 'title: A rule\nid: 6f2f2a54-7ed9-4d3f-a8d8-6f1f6d9f2b10\ndescription: d\ntags: [owasp.asi01]\n';
const source = 'logsource: {product: ai_agent, category: tool}\n';
const part = 'detection:\n  selection:\n    gen_ai.tool.name: pay\n  condition: selection\n';
const rule = head + source + part;

describe('rules', () => {
  const more = (item: string) => rule.replace('gen_ai.tool.name: pay', item);
  for (const [what, text] of [
    ['the plain one', rule],
    ['modifiers', more("spanwarden.effect.hosts|contains|all: [a, 'b*']")],
    ['an argument', more('spanwarden.argument.amount|gt: 500')],
    ['an attribute of their own', more('shop.region|re|i: ^eu')],
    ['null and booleans', more('gen_ai.tool.name: null\n    shop.open: true')],
    [
      'keywords and lists of maps',
      rule.replace('    gen_ai.tool.name: pay', '    - word\n    - gen_ai.tool.name: pay'),
    ],
    ['a template', `action: global\nlevel: high\n---\n${rule}`],
    ['several conditions', rule.replace('condition: selection', 'condition: [selection, not selection]')],
    ['a filter', `${head}${source}filter:\n  rules: any\n  quiet: {shop.test: true}\n  condition: not quiet\n`],
  ] as const) {
    test(`${what}: taken`, () => {
      assert.deepEqual(lintRules([{ path: 'r.yml', text }], { knownFields: taxonomy }).errors, []);
      assert.deepEqual(refusals(isRule, text), []);
    });
  }

  for (const [what, text] of [
    ['a misspelt key', `${rule}levle: high\n`],
    ['a misspelt title', rule.replace('title', 'titel')],
    ['an unknown level', `${rule}level: urgent\n`],
    ['no condition', rule.replace('  condition: selection\n', '')],
    ['no logsource', rule.replace(source, '')],
    ['no detection', rule.replace(part, '')],
    ['an unknown category', rule.replace('category: tool', 'category: tools')],
    ['an unknown modifier', more('gen_ai.tool.name|regex: pay')],
    ['a fact that is none', more('spanwarden.effects.kind: pay')],
    ['a span property that is none', more('span.nam: pay')],
    ['a map for a value', more('gen_ai.tool.name: {is: pay}')],
    ['an empty list', more('gen_ai.tool.name: []')],
    ['a list in a list', more('gen_ai.tool.name: [[pay]]')],
    ['a tag without a name space', rule.replace('owasp.asi01', 'asi01')],
    ['an id that is no UUID', rule.replace(/id: \S+/, 'id: pays')],
    ['a date with dots', `${rule}date: 22.11.2026\n`],
    ['a timeframe', rule.replace('  condition', '  timeframe: 5m\n  condition')],
    ['a filter without rules', `${head}${source}filter:\n  quiet: {shop.test: true}\n  condition: not quiet\n`],
  ] as const) {
    test(`${what}: refused, and lint has a word about it`, () => {
      assert.notDeepEqual(refusals(isRule, text), []);
      const { errors, warnings } = lintRules([{ path: 'r.yml', text }], { knownFields: taxonomy });
      assert.notDeepEqual([...errors, ...warnings], []);
    });
  }
});

describe('rule tests', () => {
  const cases = (span: string) => `matches:\n  - case: c\n    ${span}\nnear_misses: []\n`;
  const problems = (text: string) => {
    const fields = createFieldTable();
    const { rules } = loadRules([{ path: 'r.yml', text: rule }]);
    const tests = [{ path: 'r.test.yml', text }];
    const run = runRuleTests({ rules, tests, fields, eventsFrom: createTestEvents(fields) });
    return run.problems.filter(({ position }) => position?.file === 'r.test.yml');
  };
  for (const [what, text] of [
    ['a tool', cases('tool: pay\n    arguments: {amount: 1}')],
    ['a chat', cases('chat: {input: [{user: hi}, {call: {pay: {to: x}}}, {result: [1]}], output: {assistant: ok}}')],
    ['several spans', cases('spans: [{span: x, kind: client, status: error, duration_ms: 2.5}]')],
  ] as const) {
    test(`${what}: taken`, () => {
      assert.deepEqual(problems(text), []);
      assert.deepEqual(refusals(isRuleTest, text), []);
    });
  }
  for (const [what, text] of [
    ['a misspelt key', cases('tool: pay\n    argument: {amount: 1}')],
    ['a misspelt list', `${cases('tool: pay')}near_miss: []\n`],
    ['no name', cases('tool: pay').replace('case: c\n    ', '')],
    ['two kinds of span', cases('tool: pay\n    span: x')],
    ['no span', cases('kind: client')],
    ['an unknown kind', cases('span: x\n    kind: clint')],
    ['an unknown role', cases('chat: {input: [{human: hi}]}')],
    ['an unknown key of a chat', cases('chat: {inputs: [{user: hi}]}')],
    ['a case that is text', 'matches: [pay]\n'],
  ] as const) {
    test(`${what}: refused, as by the runner`, () => {
      assert.notDeepEqual(refusals(isRuleTest, text), []);
      assert.notDeepEqual(problems(text), []);
    });
  }
});
