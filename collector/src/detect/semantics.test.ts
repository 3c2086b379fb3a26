import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readRules } from './load.ts';
import { findingsOf, matches, ruleWith } from './testing/plain-events.ts';

/** One test per row of the table in docs/sigma-semantics.md that concerns detection rules and filters. */
describe('where implementations of Sigma disagree', () => {
  const item = (text: string) => `selection:\n  ${text}\ncondition: selection`;
  const is = (text: string, fields: Parameters<typeof matches>[1]) => matches(item(text), fields);

  test('an empty text does not match an absent field', () => {
    assert.equal(is("f: ''", {}), false);
    assert.equal(is("f: ''", { f: '' }), true);
    assert.equal(is("f: ''", { f: null }), false);
  });

  test('null matches absent and null, not an empty text', () => {
    assert.equal(is('f: null', {}), true);
    assert.equal(is('f: null', { f: null }), true);
    assert.equal(is('f: null', { f: '' }), false);
    assert.equal(is('f: null', { f: 0 }), false);
    assert.equal(is('f:', {}), true);
  });

  test('exists looks at the key only', () => {
    assert.equal(is('f|exists: true', { f: null }), true);
    assert.equal(is('f|exists: true', { f: '' }), true);
    assert.equal(is('f|exists: true', { f: [] }), true);
    assert.equal(is('f|exists: true', {}), false);
    assert.equal(is('f|exists: false', {}), true);
    assert.equal(is('f|exists: false', { f: null }), false);
  });

  test('a comparison with an absent field is false', () => {
    assert.equal(is('f|lt: 5', {}), false);
    assert.equal(is('f|lt: 5', { f: null }), false);
    assert.equal(is('f|lt: 5', { f: 0 }), true);
  });

  test('neq needs the field; `not` does not', () => {
    assert.equal(is('f|neq: x', {}), false);
    assert.equal(is('f|neq: x', { f: 'y' }), true);
    assert.equal(is('f|neq: x', { f: 'X' }), false);
    assert.equal(matches('selection:\n  f: x\ncondition: not selection', {}), true);
  });

  test('a number matches a text that holds it', () => {
    assert.equal(is('f: 4625', { f: '4625' }), true);
    assert.equal(is('f: 4625', { f: 4625 }), true);
    assert.equal(is('f: 4625', { f: '4625x' }), false);
    assert.equal(is("f: '4625'", { f: 4625 }), true);
  });

  test('null is not the text of a null', () => {
    for (const text of ['none', 'null', "'null'", "'*'", "''"]) {
      if (text !== 'null') assert.equal(is(`f: ${text}`, { f: null }), false, text);
    }
  });

  test('fieldref with absent fields is false', () => {
    assert.equal(is('f|fieldref: g', {}), false);
    assert.equal(is('f|fieldref: g', { f: 'a' }), false);
    assert.equal(is('f|fieldref: g', { g: 'a' }), false);
    assert.equal(is('f|fieldref|neq: g', { f: 'a' }), false);
    assert.equal(is('f|fieldref: g', { f: 'A', g: ['b', 'a'] }), true);
  });

  test('an array matches when any member does', () => {
    assert.equal(is('f: b', { f: ['a', 'b'] }), true);
    assert.equal(is('f: "a,b"', { f: ['a', 'b'] }), false);
    assert.equal(is('f|contains|all: [xa, yb]', { f: ['xa', 'yb'] }), true);
    assert.equal(is('f|neq: b', { f: ['a', 'b'] }), false);
    assert.equal(is('f: b', { f: [] }), false);
  });

  test('keywords search values one at a time, never keys', () => {
    const keywords = 'keywords: [needle]\ncondition: keywords';
    assert.equal(matches(keywords, { f: 'a NEEDLE in hay' }), true);
    assert.equal(matches(keywords, { needle: 'hay' }), false);
    assert.equal(matches(keywords, { f: 'nee', g: 'dle' }), false);
    assert.equal(matches("keywords:\n  '|all': [one, two]\ncondition: keywords", { f: 'one', g: 'two' }), true);
    assert.equal(matches("keywords:\n  '|all': [one, two]\ncondition: keywords", { f: 'one' }), false);
  });

  test('wildcards cross newlines', () => {
    assert.equal(is("f: 'a*b'", { f: 'a\n\nb' }), true);
    assert.equal(is("f: 'a?b'", { f: 'a\nb' }), true);
  });

  test('endswith means the very end', () => {
    assert.equal(is('f|endswith: end', { f: 'the end' }), true);
    assert.equal(is('f|endswith: end', { f: 'the end\n' }), false);
    assert.equal(is("f|re: 'end$'", { f: 'the end\n' }), false);
  });

  test('base64 results match case-sensitively', () => {
    const encoded = Buffer.from('ignore').toString('base64');
    assert.equal(is('f|base64|contains: ignore', { f: `x${encoded}` }), true);
    assert.equal(is('f|base64|contains: ignore', { f: encoded.toLowerCase() }), false);
    assert.equal(is('f|base64offset|contains: ignore', { f: encoded.toUpperCase() }), false);
  });

  test('all on one value is a warning and has no effect', () => {
    const reading = readRules([{ path: 'r.yml', text: ruleWith(item('f|contains|all: x')) }]);
    assert.deepEqual(reading.errors, []);
    assert.ok(reading.warnings.some(({ message }) => message.includes('`all`')));
    assert.equal(is('f|contains|all: x', { f: 'axb' }), true);
  });

  test('a selector that matches no identifier is an error', () => {
    const { errors } = readRules([
      { path: 'r.yml', text: ruleWith('selection:\n  f: x\ncondition: selection or 1 of filter_*') },
    ]);
    assert.match(errors[0]!.message, /`filter_\*` matches no identifier/);
  });

  test('N of counts, and is linted', () => {
    const detection = 's_a:\n  a: 1\ns_b:\n  b: 1\ns_c:\n  c: 1\ncondition: 2 of s_*';
    assert.equal(matches(detection, { a: 1, c: 1 }), true);
    assert.equal(matches(detection, { c: 1 }), false);
    const { warnings } = readRules([{ path: 'r.yml', text: ruleWith(detection) }]);
    assert.ok(warnings.some(({ message }) => message.includes('not portable')));
  });

  test('a pattern may hold a dash', () => {
    assert.equal(matches('sel-a:\n  a: 1\nsel-b:\n  b: 1\ncondition: 1 of sel-*', { b: 1 }), true);
  });

  test('windash takes any of five dashes where a word begins', () => {
    for (const dash of ['-', '/', '–', '—', '―']) {
      assert.equal(is("f|windash|contains: ' -enc '", { f: `x ${dash}enc y` }), true, dash);
      assert.equal(is(`f|windash|contains: ' ${dash}enc '`, { f: 'x -enc y' }), true, dash);
    }
    assert.equal(is("f|windash|contains: 'a-b'", { f: 'a/b' }), false);
  });

  test('a filter without rules is an error', () => {
    const filter =
      'title: F\nlogsource: {product: ai_agent}\nfilter:\n  selection: {f: x}\n  condition: not selection\n';
    const { errors } = readRules([{ path: 'f.yml', text: filter }]);
    assert.match(errors[0]!.message, /names no rules/);
    assert.match(errors[0]!.advice!, /any/);
  });

  test('a filter refers to rules by id or name', () => {
    const rule = ruleWith('selection:\n  f: x\ncondition: selection', 'name: a_rule\n');
    const filter = (ref: string) =>
      `title: F\nlogsource: {product: ai_agent}\nfilter:\n  rules: [${ref}]\n  selection: {g: y}\n  condition: not selection\n`;
    const spans = [{ fields: { f: 'x', g: 'y' } }, { fields: { f: 'x' } }];
    assert.equal(findingsOf([rule, filter('a_rule')], spans).length, 1);
    assert.equal(findingsOf([rule, filter('6f2f2a54-7ed9-4d3f-a8d8-6f1f6d9f2b10')], spans).length, 1);
    assert.equal(findingsOf([rule, filter('A rule')], spans).length, 2);
  });

  test('action: global gives way to the rule', () => {
    const text = [
      'action: global\ntitle: From the template\nlogsource: {product: ai_agent, category: tool}\nlevel: high\n',
      'id: 6f2f2a54-7ed9-4d3f-a8d8-6f1f6d9f2b11\nlevel: low\ndetection:\n  s: {f: x}\n  condition: s\n',
    ].join('---\n');
    const [finding] = findingsOf(text, [{ fields: { f: 'x' } }]);
    assert.equal(finding?.level, 'low');
    assert.equal(finding?.ruleTitle, 'From the template');
  });

  test('an attribute name with dots is one name', () => {
    assert.equal(is('gen_ai.tool.name: x', { 'gen_ai.tool.name': 'x' }), true);
  });
});
