import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { readRules } from './load.ts';
import { correlation, setup, span, spanId } from './testing/correlating-setup.ts';
import { findingsOf, matches, ruleWith } from './testing/plain-events.ts';

/** One test for each row of the table in docs/sigma-semantics.md, with the name of the row. */
describe('where implementations of Sigma disagree', () => {
  const item = (text: string) => `selection:\n  ${text}\ncondition: selection`;
  const is = (text: string, fields: Parameters<typeof matches>[1]) => matches(item(text), fields);

  test("`f: ''` and `f` is absent", () => {
    assert.equal(is("f: ''", {}), false);
    assert.equal(is("f: ''", { f: '' }), true);
    assert.equal(is("f: ''", { f: null }), false);
  });

  test('`f: null` and `f` is absent, null, empty text', () => {
    assert.equal(is('f: null', {}), true);
    assert.equal(is('f: null', { f: null }), true);
    assert.equal(is('f: null', { f: '' }), false);
    assert.equal(is('f: null', { f: 0 }), false);
    assert.equal(is('f:', {}), true);
  });

  test('`f|exists: true` and `f` is null', () => {
    assert.equal(is('f|exists: true', { f: null }), true);
    assert.equal(is('f|exists: true', { f: '' }), true);
    assert.equal(is('f|exists: true', { f: [] }), true);
    assert.equal(is('f|exists: true', {}), false);
    assert.equal(is('f|exists: false', {}), true);
    assert.equal(is('f|exists: false', { f: null }), false);
  });

  test('`f|lt: 5` and `f` is absent', () => {
    assert.equal(is('f|lt: 5', {}), false);
    assert.equal(is('f|lt: 5', { f: null }), false);
    assert.equal(is('f|lt: 5', { f: 0 }), true);
  });

  test('`f|neq: x` and `f` is absent', () => {
    assert.equal(is('f|neq: x', {}), false);
    assert.equal(is('f|neq: x', { f: 'y' }), true);
    assert.equal(is('f|neq: x', { f: 'X' }), false);
    assert.equal(matches('selection:\n  f: x\ncondition: not selection', {}), true);
  });

  test('`f: 4625` and the span holds the text `4625`', () => {
    assert.equal(is('f: 4625', { f: '4625' }), true);
    assert.equal(is('f: 4625', { f: 4625 }), true);
    assert.equal(is('f: 4625', { f: '4625x' }), false);
    assert.equal(is("f: '4625'", { f: 4625 }), true);
  });

  test('`f: none` and `f` is null', () => {
    for (const text of ['none', 'null', "'null'", "'*'", "''"]) {
      if (text !== 'null') assert.equal(is(`f: ${text}`, { f: null }), false, text);
    }
  });

  test('`f|fieldref: g` and both are absent', () => {
    assert.equal(is('f|fieldref: g', {}), false);
    assert.equal(is('f|fieldref: g', { f: 'a' }), false);
    assert.equal(is('f|fieldref: g', { g: 'a' }), false);
    assert.equal(is('f|fieldref|neq: g', { f: 'a' }), false);
    assert.equal(is('f|fieldref: g', { f: 'A', g: ['b', 'a'] }), true);
  });

  test('`f` is an array', () => {
    assert.equal(is('f: b', { f: ['a', 'b'] }), true);
    assert.equal(is('f: "a,b"', { f: ['a', 'b'] }), false);
    assert.equal(is('f|contains|all: [xa, yb]', { f: ['xa', 'yb'] }), true);
    assert.equal(is('f|neq: b', { f: ['a', 'b'] }), false);
    assert.equal(is('f: b', { f: [] }), false);
  });

  test('what keywords search', () => {
    const keywords = 'keywords: [needle]\ncondition: keywords';
    assert.equal(matches(keywords, { f: 'a NEEDLE in hay' }), true);
    assert.equal(matches(keywords, { needle: 'hay' }), false);
    assert.equal(matches(keywords, { f: 'nee', g: 'dle' }), false);
    assert.equal(matches("keywords:\n  '|all': [one, two]\ncondition: keywords", { f: 'one', g: 'two' }), true);
    assert.equal(matches("keywords:\n  '|all': [one, two]\ncondition: keywords", { f: 'one' }), false);
  });

  test('`*` and `?` at a line break', () => {
    assert.equal(is("f: 'a*b'", { f: 'a\n\nb' }), true);
    assert.equal(is("f: 'a?b'", { f: 'a\nb' }), true);
  });

  test('`endswith` and a final line break', () => {
    assert.equal(is('f|endswith: end', { f: 'the end' }), true);
    assert.equal(is('f|endswith: end', { f: 'the end\n' }), false);
    assert.equal(is("f|re: 'end$'", { f: 'the end\n' }), false);
  });

  test('case of base64 results', () => {
    const encoded = Buffer.from('ignore').toString('base64');
    assert.equal(is('f|base64|contains: ignore', { f: `x${encoded}` }), true);
    assert.equal(is('f|base64|contains: ignore', { f: encoded.toLowerCase() }), false);
    assert.equal(is('f|base64offset|contains: ignore', { f: encoded.toUpperCase() }), false);
  });

  test('`all` on a single value', () => {
    const reading = readRules([{ path: 'r.yml', text: ruleWith(item('f|contains|all: x')) }]);
    assert.deepEqual(reading.errors, []);
    assert.ok(reading.warnings.some(({ message }) => message.includes('`all`')));
    assert.equal(is('f|contains|all: x', { f: 'axb' }), true);
  });

  test('`1 of name*` that matches no identifier', () => {
    const { errors } = readRules([
      { path: 'r.yml', text: ruleWith('selection:\n  f: x\ncondition: selection or 1 of filter_*') },
    ]);
    assert.match(errors[0]!.message, /`filter_\*` matches no identifier/);
  });

  test('`2 of name*`', () => {
    const detection = 's_a:\n  a: 1\ns_b:\n  b: 1\ns_c:\n  c: 1\ncondition: 2 of s_*';
    assert.equal(matches(detection, { a: 1, c: 1 }), true);
    assert.equal(matches(detection, { c: 1 }), false);
    const { warnings } = readRules([{ path: 'r.yml', text: ruleWith(detection) }]);
    assert.ok(warnings.some(({ message }) => message.includes('not portable')));
  });

  test('`-` in the pattern of `1 of`', () => {
    assert.equal(matches('sel-a:\n  a: 1\nsel-b:\n  b: 1\ncondition: 1 of sel-*', { b: 1 }), true);
  });

  test('dashes of `windash`', () => {
    for (const dash of ['-', '/', '–', '—', '―']) {
      assert.equal(is("f|windash|contains: ' -enc '", { f: `x ${dash}enc y` }), true, dash);
      assert.equal(is(`f|windash|contains: ' ${dash}enc '`, { f: 'x -enc y' }), true, dash);
    }
    assert.equal(is("f|windash|contains: 'a-b'", { f: 'a/b' }), false);
  });

  test('a filter without `rules`', () => {
    const filter =
      'title: F\nlogsource: {product: ai_agent}\nfilter:\n  selection: {f: x}\n  condition: not selection\n';
    const { errors } = readRules([{ path: 'f.yml', text: filter }]);
    assert.match(errors[0]!.message, /names no rules/);
    assert.match(errors[0]!.advice!, /any/);
  });

  test('what a filter names', () => {
    const rule = ruleWith('selection:\n  f: x\ncondition: selection', 'name: a_rule\n');
    const filter = (ref: string) =>
      `title: F\nlogsource: {product: ai_agent}\nfilter:\n  rules: [${ref}]\n  selection: {g: y}\n  condition: not selection\n`;
    const spans = [{ fields: { f: 'x', g: 'y' } }, { fields: { f: 'x' } }];
    assert.equal(findingsOf([rule, filter('a_rule')], spans).length, 1);
    assert.equal(findingsOf([rule, filter('6f2f2a54-7ed9-4d3f-a8d8-6f1f6d9f2b10')], spans).length, 1);
    assert.equal(findingsOf([rule, filter('A rule')], spans).length, 2);
  });

  test('`action: global` against a key of the rule', () => {
    const text = [
      'action: global\ntitle: From the template\nlogsource: {product: ai_agent, category: tool}\nlevel: high\n',
      'id: 6f2f2a54-7ed9-4d3f-a8d8-6f1f6d9f2b11\nlevel: low\ndetection:\n  s: {f: x}\n  condition: s\n',
    ].join('---\n');
    const [finding] = findingsOf(text, [{ fields: { f: 'x' } }]);
    assert.equal(finding?.level, 'low');
    assert.equal(finding?.ruleTitle, 'From the template');
  });

  test('a correlation condition with a range', () => {
    const counts = (times: number) =>
      setup(correlation({ condition: '{gte: 2, lte: 3}' })).all(
        ...Array.from({ length: times }, (_, at) => span('a', at)),
      ).length;
    assert.deepEqual([1, 2, 3, 4].map(counts), [0, 1, 1, 0]);
  });

  test('an event without a group key', () => {
    const { all, detector } = setup(correlation({}));
    assert.deepEqual(all(span('a', 1, { g: null }), span('a', 2, { g: null })), []);
    assert.equal(detector.correlationStats().rules[0]!.withoutKey, 2);
  });

  test('one span for two steps or rules of `temporal*`', () => {
    const both = { tool: ['a', 'b'] };
    for (const type of ['temporal', 'temporal_ordered']) {
      const { all } = setup(correlation({ type, rules: '[a, b]' }));
      assert.equal(all(span('a', 1, both)).length, 0, type);
      assert.equal(all(span('a', 2), span('a', 3, both)).length, 1, type);
    }
  });

  test('a span that matches two rules of `event_count`', () => {
    const { all } = setup(correlation({ rules: '[a, b]' }));
    assert.equal(all(span('a', 1, { tool: ['a', 'b'] })).length, 0);
    const [finding] = all(span('a', 2, { tool: ['a', 'b'] }), span('b', 3));
    assert.equal(finding!.count, 2);
  });

  test('more events while the condition holds', () => {
    const findings = setup(correlation({})).all(...[1, 2, 3, 4, 5].map((at) => span('a', at)));
    assert.deepEqual(
      findings.map(({ count, spanId: opened }) => [count, opened]),
      [[5, spanId('a', 2)]],
    );
  });

  test('`lt`, `lte`, `eq`, `neq` and ranges', () => {
    const { send, detector } = setup(correlation({ condition: '{eq: 2}' }));
    // Windows of 10 s start at multiples of 10 s: two spans in the first, of three in the second never just two.
    const spans = [1, 9, 11, 12, 13].map((at) => span('a', at));
    const atClose = spans.flatMap((each) => send(each)).filter(({ count }) => count !== undefined);
    assert.deepEqual(atClose, [], 'no event decides');
    const findings = detector.flush();
    assert.deepEqual(
      findings.map(({ count, spanId: opened }) => [count, opened]),
      [[2, spanId('a', 1)]],
    );
  });

  test('percentile', () => {
    const rule = (condition: string) => correlation({ type: 'value_percentile', condition });
    const text = ruleWith('s: {f: x}\ncondition: s', 'name: a\n');
    const { errors } = readRules([{ path: 'r.yml', text: [text, rule('{field: n, gte: 2}')].join('---\n') }]);
    assert.match(errors[0]!.message, /percentile/);
    // Of 1, 2, 3, 4 the median is 2 by nearest rank, 2.5 by interpolation.
    const spans = [1, 2, 3, 4].map((n) => span('a', n, { n }));
    const found = (at: string) => setup(rule(`{field: n, percentile: 50, ${at}}`)).all(...spans).length;
    assert.deepEqual([found('eq: 2'), found('eq: 2.5')], [1, 0]);
  });

  test('an attribute name with dots is one name', () => {
    assert.equal(is('gen_ai.tool.name: x', { 'gen_ai.tool.name': 'x' }), true);
  });
});

test('each row has its test, and each of these tests its row', () => {
  const page = readFileSync(new URL('../../../docs/sigma-semantics.md', import.meta.url), 'utf8');
  const table = page.slice(page.indexOf('| case |'), page.indexOf('\n## Values'));
  const cases = [...table.matchAll(/^\| (.*?) \| /gm)].map(([, first]) => first!.replaceAll('\\|', '|')).slice(1);
  const own = readFileSync(new URL(import.meta.url), 'utf8')
    .split("describe('where")[1]!
    .split('\n});')[0]!;
  const tests = [...own.matchAll(/^ {2}test\(['"](.*?)['"], \(\) =>/gm)].map(([, name]) => name!);
  // Needs decoding and normalising: see cli/rule-test-events.test.ts.
  const elsewhere = ['`a.b` where `a` is a map'];
  const more = ['an attribute name with dots is one name'];
  assert.deepEqual([...tests, ...elsewhere].sort(), [...cases, ...more].sort());
});
