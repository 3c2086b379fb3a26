import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { SpanwardenError } from '../../model/errors.ts';
import { limits } from '../../model/limits.ts';
import { loadRules, readRules } from '../load.ts';
import { findingsOf, matches, ruleWith } from '../testing/plain-events.ts';

const rule = ruleWith('s:\n  f: x\ncondition: s');
const problems = (text: string) => readRules([{ path: 'r.yml', text }]).errors;
const messages = (text: string) => problems(text).map(({ message }) => message);

describe('YAML', () => {
  test('duplicate keys, tags, other versions and aliases without anchor are errors with a place', () => {
    const [duplicate] = problems(`${rule}title: again\n`);
    assert.match(duplicate!.message, /twice/);
    assert.equal(duplicate!.position!.line, 8);
    assert.match(messages(rule.replace('f: x', 'f: !!binary eA=='))[0]!, /tag/);
    assert.match(messages(`%YAML 1.1\n---\n${rule}`)[0]!, /YAML 1.2/);
    assert.ok(messages(rule.replace('f: x', 'f: *nothing')).length > 0);
    assert.ok(messages('title: [').length > 0);
    assert.match(messages('- a list')[0]!, /a rule is a map/);
  });

  test('an alias bomb ends at the bound', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 12; i++)
      lines.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(', ')}]`,
      );
    const [bomb] = problems(lines.join('\n'));
    assert.match(bomb!.message, /more than \d+ YAML nodes/);
    assert.match(bomb!.advice!, /aliases of aliases/);
    assert.deepEqual(bomb!.position, { file: 'r.yml', line: 5, column: 45 });
  });

  test('a key that stands twice hides no other error of its document, which is left out', () => {
    const text = `${rule.replace('f: x', 'f|contians: x')}title: again\n---\n${rule.replace('title: A rule', 'title: B\nname: b')}`;
    const reading = readRules([{ path: 'r.yml', text }]);
    assert.deepEqual(
      reading.errors.map(({ message }) => message),
      ['the key occurs twice in the same map', 'unknown modifier `contians`'],
    );
    assert.deepEqual(
      reading.rules.map(({ meta }) => meta.name),
      ['b'],
    );
  });

  test('an alias that holds itself ends at the bound', () => {
    assert.ok(messages('a: &a [*a]').length > 0);
  });

  test('nesting and size are bounded', () => {
    assert.match(messages(`a: ${'['.repeat(100)}${']'.repeat(100)}`)[0]!, /nested/);
    assert.match(messages('['.repeat(200_000))[0]!, /nested|flow/i);
    assert.match(messages(`# ${'x'.repeat(limits.ruleFileBytesMax)}`)[0]!, /larger than/);
  });

  test('anchors repeat a list', () => {
    assert.equal(matches('s:\n  f: &list [x, y]\nt:\n  g: *list\ncondition: s and t', { f: 'x', g: 'y' }), true);
  });

  test('scalars that YAML 1.1 reads differently are warnings', () => {
    const { warnings } = readRules([{ path: 'r.yml', text: rule.replace('f: x', 'f: [yes, 012]') }]);
    assert.deepEqual(
      warnings.slice(0, 2).map(({ message }) => message.split(' ')[0]),
      ['yes', '012'],
    );
  });

  test('any text gives problems, never another exception', () => {
    const mangled = fc
      .tuple(fc.nat(rule.length), fc.nat(20), fc.string({ maxLength: 8 }))
      .map(([at, cut, put]) => rule.slice(0, at) + put + rule.slice(at + cut));
    fc.assert(
      fc.property(
        fc.oneof(mangled, fc.string({ unit: 'binary' })),
        (text) => void readRules([{ path: 'r.yml', text }]),
      ),
      { numRuns: 1500 },
    );
  });
});

describe('rules', () => {
  test('what is mandatory, and what may stand in it', () => {
    const without = (line: RegExp) => messages(rule.replace(line, ''));
    assert.match(without(/title.*\n/)[0]!, /no title/);
    assert.match(without(/logsource.*\n/)[0]!, /no logsource/);
    assert.match(without(/ {2}condition.*\n/)[0]!, /no condition/);
    assert.match(messages('title: x\nlogsource: {product: ai_agent}')[0]!, /no detection/);
    assert.match(messages(rule.replace('tool}', 'tol}'))[0]!, /unknown category/);
    assert.match(messages(`${rule}level: severe\n`)[0]!, /unknown `level`/);
    assert.match(messages(`${rule}response: deny\n`)[0]!, /unknown `response`/);
    assert.match(messages(`${rule}tags: [No Tag]\n`)[0]!, /no tag/);
    assert.match(messages(`${rule}taxonomy: ecs\n`)[0]!, /mapping/);
    assert.match(messages(rule.replace('title: A rule', `title: ${'x'.repeat(300)}`))[0]!, /longer/);
  });

  test('a mistyped key is an error, a foreign one is kept', () => {
    const [problem] = problems(`${rule}levl: high\n`);
    assert.match(`${problem!.message} ${problem!.advice}`, /`levl` Write `level`/);
    assert.deepEqual(messages(`${rule}x_ticket: 17\n`), []);
  });

  test('forms of a search identifier', () => {
    assert.equal(matches('s:\n  - f: x\n    g: y\n  - h: z\ncondition: s', { h: 'z' }), true);
    assert.equal(matches('s:\n  - f: x\n    g: y\n  - h: z\ncondition: s', { f: 'x' }), false);
    assert.equal(matches('s:\n  - f: x\n  - needle\ncondition: s', { q: 'a needle' }), true);
    assert.equal(matches('s: needle\ncondition: s', { q: 'a needle' }), true);
    for (const body of [
      's: {}',
      's: []',
      's:\n  f: []',
      's:\n  f: {a: b}',
      's:\n  - [a]',
      's:\n  f: [[a]]',
      's:\n  f[any]: x',
    ]) {
      assert.ok(messages(ruleWith(`${body}\ncondition: s`)).length > 0, body);
    }
    assert.match(messages(ruleWith('s:\n  f: [x, null]\ncondition: s'))[0]!, /null may not stand in a list/);
    assert.match(messages(ruleWith('s:\n  f: x\ntimeframe: 5m\ncondition: s'))[0]!, /timeframe/);
  });

  test('everything wrong in all files comes at once', () => {
    const sources = [
      { path: 'a.yml', text: rule.replace('f: x', "f|re: '('") },
      { path: 'b.yml', text: rule.replace('condition: s', 'condition: t') },
      { path: 'c.yml', text: `${rule}---\n${rule}` },
    ];
    assert.throws(
      () => loadRules(sources),
      (error: unknown) => {
        assert.ok(error instanceof SpanwardenError);
        assert.deepEqual(
          new Set(error.problems.map(({ position }) => position?.file)),
          new Set(['a.yml', 'b.yml', 'c.yml']),
        );
        return true;
      },
    );
  });

  test('whoever refers to a rule with an error is not told that there is none', () => {
    const bad = ruleWith('s:\n  f: x\ncondition: t', 'name: bad\n');
    const over = (rules: string) =>
      `title: C\nname: c\ncorrelation: {type: event_count, rules: [${rules}], group-by: [], timespan: 1m, condition: {gte: 2}}\n`;
    const filter =
      'title: F\nlogsource: {product: ai_agent}\nfilter:\n  rules: [bad]\n  s: {g: y}\n  condition: not s\n';
    const reading = readRules([{ path: 'r.yml', text: [bad, over('bad'), filter].join('---\n') }]);
    assert.deepEqual(
      reading.errors.map(({ message }) => message),
      ['the identifier `t` is not defined'],
    );
    assert.deepEqual(reading.correlations, []);
    assert.ok(!reading.warnings.some(({ message }) => message.includes('no loaded rule')));
    assert.match(messages([bad, over('bda')].join('---\n'))[1]!, /there is no rule `bda`/);
  });

  test('ids and names are unique over all files', () => {
    const twice = readRules([
      { path: 'a.yml', text: rule },
      { path: 'b.yml', text: rule },
    ]);
    assert.match(twice.errors[0]!.message, /already used in a\.yml:1/);
  });

  test("another product's rule loads and never runs", () => {
    const foreign = rule.replace(
      '{product: ai_agent, category: tool}',
      '{product: windows, category: process_creation}',
    );
    const reading = readRules([{ path: 'r.yml', text: foreign }]);
    assert.deepEqual(reading.errors, []);
    assert.equal(reading.rules[0]!.categories, 0);
    assert.equal(findingsOf(foreign, [{ fields: { f: 'x' } }]).length, 0);
  });
});

describe('collections', () => {
  const body = 'logsource: {product: ai_agent, category: tool}\ndetection:\n  s: {f: x}\n  condition: s\n';

  test('repeat merges over the previous merged rule, reset drops the template', () => {
    const text = [
      'action: global\nlevel: high\n',
      `title: One\nid: one\n${body}`,
      'action: repeat\ntitle: Two\nid: two\ndetection:\n  s: {f: y}\n',
      'action: reset\n',
      `title: Three\nid: three\n${body}`,
    ].join('---\n');
    const found = findingsOf(text, [{ fields: { f: 'x' } }, { fields: { f: 'y' } }]);
    assert.deepEqual(
      found.map(({ ruleId, level, spanId }) => [ruleId, level, Number(spanId)]),
      [
        ['one', 'high', 1],
        ['three', 'medium', 1],
        ['two', 'high', 2],
      ],
    );
  });

  test('other actions, and repeat without a rule, are errors', () => {
    assert.match(messages('action: repeat\ntitle: x\n')[0]!, /needs a rule before it/);
    assert.match(messages('action: merge\ntitle: x\n')[0]!, /unknown `action`/);
  });
});

describe('filters', () => {
  const filter = (condition: string, more = '', logsource = '{product: ai_agent}') =>
    `title: F\nlogsource: ${logsource}\nfilter:\n  rules: any\n${more}  s: {g: y}\n  condition: ${condition}\n`;
  const spans = [{ fields: { f: 'x', g: 'y' } }, { fields: { f: 'x' } }];
  const spansFound = (text: string) => findingsOf([rule, text], spans).map(({ spanId }) => Number(spanId));

  test('are ANDed as written, in a name space of their own', () => {
    assert.deepEqual(spansFound(filter('not s')), [2]);
    assert.deepEqual(spansFound(filter('s', '  keep_only: true\n')), [1]);
  });

  test('a condition without `not` is refused and both readings are shown', () => {
    const [problem] = readRules([{ path: 'f.yml', text: filter('s') }]).errors;
    assert.match(problem!.advice!, /not \(s\).*keep_only: true/);
  });

  test('reach the rules whose logsource says all they say', () => {
    assert.deepEqual(spansFound(filter('not s', '', '{product: ai_agent, category: llm}')), [1, 2]);
    assert.deepEqual(spansFound(filter('not s', '', '{product: ai_agent, category: tool}')), [2]);
  });

  test('a reference to no rule is a warning', () => {
    const { warnings, errors } = readRules([{ path: 'f.yml', text: filter('not s').replace('any', '[nobody]') }]);
    assert.deepEqual(errors, []);
    assert.ok(warnings.some(({ message }) => message.includes('no loaded rule')));
  });

  test('a reference to a mistyped rule says which is near, one to a correlation which rules are below', () => {
    const named = ruleWith('s:\n  f: x\ncondition: s', 'name: a_rule\n');
    const correlation =
      'title: C\nname: c\ncorrelation: {type: event_count, rules: [a_rule], group-by: [], timespan: 1m, condition: {gte: 2}}\n';
    const adviceOn = (name: string) => {
      const text = [named, correlation, filter('not s').replace('any', `[${name}]`)].join('---\n');
      return readRules([{ path: 'f.yml', text }]).warnings.find(({ message }) => message.startsWith('the filter'))
        ?.advice;
    };
    assert.equal(adviceOn('a_rlue'), 'Write `a_rule`.');
    assert.equal(adviceOn('c'), 'Name those it lists: a_rule.');
  });
});
