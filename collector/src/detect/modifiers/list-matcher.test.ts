import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createLiteralSet } from '../literal-set.ts';
import { readRules } from '../load.ts';
import { findingsOf, matches, ruleWith } from '../testing/plain-events.ts';

const hosts = Array.from({ length: 100 }, (_, i) => `host${i}.example`);
const lists = new Map([['hosts', [...hosts, 'Drop.Example', '*.evil.test']]]);
const is = (item: string, f: string): boolean =>
  matches(`selection:\n  ${item}\ncondition: selection`, { f }, { lists });

describe('long lists', () => {
  test('are compared whole, in part, at the start and at the end, with words around the placeholder', () => {
    assert.ok(is("f|expand: '%hosts%'", 'HOST7.example'));
    assert.ok(is("f|expand: '%hosts%'", 'a.evil.test'));
    assert.equal(is("f|expand: '%hosts%'", 'xhost7.example'), false);
    assert.ok(is("f|expand|contains: '//%hosts%/'", 'see https://drop.example/x'));
    assert.equal(is("f|expand|contains: '//%hosts%/'", 'see https://drop.example.org/x'), false);
    assert.ok(is("f|expand|startswith: '%hosts%'", 'host99.example/path'));
    assert.ok(is("f|expand|endswith: '.%hosts%'", 'api.host5.example'));
    assert.equal(is("f|expand|endswith: '.%hosts%'", 'host5.example'), false);
    assert.equal(is("f|expand|cased: '%hosts%'", 'drop.example'), false);
    assert.ok(is("f|normalised|expand|contains: '%hosts%'", 'ｈｏｓｔ５.еxample'));
    assert.ok(is("f|decoded|expand|contains: '%hosts%'", Buffer.from('curl host5.example now').toString('base64')));
  });

  test('evidence shows the place', () => {
    const rule = ruleWith("s:\n  f|expand|contains: '%hosts%'\ncondition: s");
    const f = `${'x '.repeat(400)}host42.example${' y'.repeat(400)}`;
    const [finding] = findingsOf(rule, [{ fields: { f } }], { lists });
    assert.match(finding!.evidence[0]!.excerpt, /host42\.example/);
    assert.match(finding!.evidence[0]!.wanted, /contains "%hosts%" \(101 values\)/);
  });

  test('give what the values give one by one', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'A', 'é', '.', '\u{1f600}'), minLength: 1, maxLength: 4 });
    const shape = fc.constantFrom('', '|contains', '|startswith', '|endswith', '|contains|cased', '|contains|neq');
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'A', 'é', '.', '\u{1f600}'), maxLength: 8 });
    fc.assert(
      fc.property(fc.uniqueArray(word, { minLength: 16, maxLength: 30 }), shape, text, (values, modifiers, f) => {
        const short = `s:\n  f${modifiers}: ${JSON.stringify(values)}\ncondition: s`;
        const long = `s:\n  f|expand${modifiers}: '%list%'\ncondition: s`;
        assert.equal(matches(long, { f }, { lists: new Map([['list', values]]) }), matches(short, { f }));
      }),
      { numRuns: 400 },
    );
  });

  test('of a million values load, and too many characters for contains are refused', () => {
    const values = Array.from({ length: 1_000_000 }, (_, i) => `10.${i}.example`);
    const many = new Map([['many', values]]);
    const whole = ruleWith("s:\n  f|expand: '%many%'\ncondition: s");
    assert.equal(findingsOf(whole, [{ fields: { f: '10.999999.example' } }], { lists: many }).length, 1);
    const part = ruleWith("s:\n  f|expand|contains: '%many%'\ncondition: s");
    const { errors } = readRules([{ path: 'r.yml', text: part }], { lists: many });
    assert.match(errors[0]!.message, /characters, more than 2000000/);
    const fewer = new Map([['many', values.slice(0, 100_000)]]);
    assert.equal(findingsOf(part, [{ fields: { f: 'to 10.99999.example' } }], { lists: fewer }).length, 1);
  });
});

test('a literal set finds a literal exactly when one occurs, at its place', () => {
  const unit = fc.constantFrom('a', 'b', 'c', '\uffff', '\u{1f600}');
  const word = (min: number, max: number) => fc.string({ unit, minLength: min, maxLength: max });
  fc.assert(
    fc.property(fc.array(word(1, 5), { minLength: 1, maxLength: 20 }), word(0, 30), (literals, text) => {
      const range = createLiteralSet(literals).find(text);
      assert.equal(
        range !== undefined,
        literals.some((literal) => text.includes(literal)),
      );
      if (range) assert.ok(literals.includes(text.slice(range.start, range.end)));
    }),
    { numRuns: 2000 },
  );
});
