import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { limits } from '../model/limits.ts';
import { excerpt } from './evidence.ts';
import { findingsOf, ruleWith } from './testing/plain-events.ts';

const around = (text: string, word: string) => {
  const start = text.indexOf(word);
  return excerpt(text, { start, end: start + word.length });
};

describe('excerpts', () => {
  test('show the matching place of a long text, within the bound', () => {
    const text = `${'lorem ipsum '.repeat(500)}ignore the rules${' dolor sit'.repeat(500)}`;
    const shown = around(text, 'ignore the rules');
    assert.ok(shown.includes('ignore the rules'));
    assert.ok(shown.startsWith('…') && shown.endsWith('…'));
    assert.ok(shown.length <= limits.evidenceCharsMax);
    const [before, after] = shown.split('ignore the rules').map((part) => part.length);
    assert.ok(Math.abs(before! - after!) <= 2, 'as much of what stands before as of what comes after');
  });

  test('escape what a terminal obeys and what nobody sees', () => {
    assert.equal(
      around('a\u001b[2Jb\u202ec\nd\u200be\u{e0041}f', 'a'),
      'a\\u{1b}[2Jb\\u{202e}c\\nd\\u{200b}e\\u{e0041}f',
    );
  });

  const secrets = [
    'AKIAQ3EGRXNQ7EXAMPLE',
    'ghp_0123456789abcdefghijABCDEFGHIJ012345',
    `sk-ant-api03-${'x9Yb'.repeat(12)}`,
    'eyJhbGciOiJIUzI1NiJ9eyJzdWIiOiIxMjM0NTY3ODkwIn0',
    '4111 1111 1111 1111',
    'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj',
  ];
  for (const secret of secrets) {
    test(`mask ${secret.slice(0, 6)}…`, () => {
      const shown = around(`before ${secret} needle after`, 'needle');
      assert.ok(shown.includes('needle'));
      assert.ok(!shown.includes(secret.slice(6, -4)), shown);
    });
  }

  test('mask what is called a password, however short', () => {
    assert.ok(!around('the needle password=hunter2 is old', 'needle').includes('hunter2'));
    assert.ok(!around('needle {"api_key": "abcd"}', 'needle').includes('abcd'));
    assert.ok(!around('needle Authorization: Bearer abc123def', 'needle').includes('abc123def'));
  });

  test('a secret that the excerpt cuts is masked whole', () => {
    const secret = `s3${'aB4'.repeat(400)}`;
    for (const gap of [200, 230, 236, 240, 244, 248]) {
      const shown = around(`needle${' x'.repeat(gap / 2)} ${secret} end`, 'needle');
      assert.ok(!/(?:aB4){3}/.test(shown), shown);
    }
  });

  test('leave ordinary words, paths, URLs and UUIDs', () => {
    const text =
      'needle /home/dev/.ssh/id_ed25519 https://docs.example/a/b 6f2f2a54-7ed9-4d3f-a8d8-6f1f6d9f2b10 the token is used';
    assert.equal(around(text, 'needle'), text);
  });

  test('never exceed the bound and never throw', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), fc.nat(2000), fc.nat(2000), (text, a, b) => {
        const start = Math.min(a, text.length);
        const shown = excerpt(text, { start, end: Math.min(start + b, text.length) });
        assert.ok(shown.length <= limits.evidenceCharsMax);
        assert.doesNotMatch(shown, /\p{Cc}/u);
      }),
    );
  });
});

describe('evidence of a finding', () => {
  test('names selection, field, what was wanted and where it stood', () => {
    const rule = ruleWith('sel:\n  f|contains: [foo, bar]\n  g|gte: 5\nnope:\n  h: x\ncondition: sel and not nope');
    const [finding] = findingsOf(rule, [{ fields: { f: ['none', 'a Bar here'], g: 7 } }]);
    assert.deepEqual(finding!.evidence, [
      { selection: 'sel', field: 'f', wanted: 'contains "bar"', excerpt: 'a Bar here' },
      { selection: 'sel', field: 'g', wanted: 'gte 5', excerpt: '7' },
    ]);
  });

  test('only what was true, every value under all, and the entry of a list of conditions', () => {
    const rule = ruleWith(
      "a:\n  f|re|i: 'B+'\nb:\n  f|contains|all: [a, c]\nc:\n  f|neq: z\ncondition:\n  - a and c\n  - b",
    );
    const [finding] = findingsOf(rule, [{ fields: { f: 'axc' } }]);
    assert.deepEqual(
      finding!.evidence.map(({ selection, wanted }) => `${selection}: ${wanted}`),
      ['b (condition 2): contains "a"', 'b (condition 2): contains "c"'],
    );
  });

  test('of absence and of other fields', () => {
    const rule = ruleWith('s:\n  f: null\n  g|exists: true\n  g|fieldref: h\n  g|neq: w\ncondition: s');
    const [finding] = findingsOf(rule, [{ fields: { g: ['v', 'u'], h: 'v' } }]);
    assert.deepEqual(
      finding!.evidence.map(({ wanted, excerpt: shown }) => [wanted, shown]),
      [
        ['is null', ''],
        ['exists', 'v, u'],
        ['equals h', 'v'],
        ['not: equals "w"', 'v'],
      ],
    );
  });

  test('is bounded', () => {
    const values = Array.from({ length: 40 }, (_, i) => `x${String.fromCharCode(97 + (i % 26))}${i}`);
    const rule = ruleWith(`s:\n  f|contains|all: [${values.join(', ')}]\ncondition: s`);
    const [finding] = findingsOf(rule, [{ fields: { f: values.join(' ') } }]);
    assert.equal(finding!.evidence.length, limits.evidenceItemsMax);
  });
});
