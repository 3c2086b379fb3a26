import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { valueJson } from '../../model/value.ts';
import { decodedLayers } from '../../text/decode-text.ts';
import { messageWords } from './byte-kinds.ts';
import { createByteLook, Look } from './byte-look.ts';
import { fragmentOf } from './fragments.ts';
import { createGramIndex } from './gram-index.ts';

/** What a look at `text` in the middle of other bytes finds of the literals, and what it tells beside. */
function lookFor(literals: readonly string[], text: string, before = 0): { found: string[]; told: number } {
  const found = new Set<string>();
  const needles = literals.map((literal) => fragmentOf(literal)!);
  const look = createByteLook(createGramIndex(needles, (needle) => found.add(literals[needle]!))!);
  const bytes = Buffer.concat([Buffer.alloc(8 + before, 'x'), Buffer.from(text), Buffer.alloc(9, 'x')]).subarray(3);
  const start = 5 + before;
  const told = look(bytes, start, start + Buffer.byteLength(text));
  return { found: [...found].sort(), told };
}

const oneOf = <T>(...values: readonly T[]) => fc.constantFrom(...values);

test('a literal is found wherever it stands, and only where it does', () => {
  const literal = fc
    .array(oneOf('a', 'b', 'c', '1', '-', ' ', ','), { minLength: 3, maxLength: 9 })
    .map((units) => units.join('').replace(/ +/g, ' '))
    .filter((text) => fragmentOf(text) !== undefined);
  const plain = (text: string) => text.toLowerCase().replace(/[\t-\r ]+/g, ' ');
  fc.assert(
    fc.property(
      fc.uniqueArray(literal, { minLength: 1, maxLength: 4 }),
      fc.array(oneOf('a', 'b', 'C', '1', '-', ' ', '\n', ',', 'abc', 'x'), { maxLength: 40 }),
      fc.nat({ max: 3 }),
      fc.nat({ max: 5 }),
      (literals, units, before, place) => {
        const text = [...units.slice(0, place), literals[0]!.toUpperCase(), ...units.slice(place)].join('');
        const { found, told } = lookFor(literals, text, before);
        assert.equal(told & Look.unreadable, 0, text);
        for (const each of literals) {
          if (plain(text).includes(each)) assert.ok(found.includes(each), `${each} in ${JSON.stringify(text)}`);
          // What stands on the other side of a comma is not looked at.
          else if (!each.includes(',')) assert.ok(!found.includes(each), `no ${each} in ${JSON.stringify(text)}`);
        }
      },
    ),
    { numRuns: 3000 },
  );
});

test('white space is found however it is written, other characters up to those that JSON escapes', () => {
  for (const text of ['are now', 'ARE \t now', 'x are\\nnow', 'are\\\\n\\\\tnow y', 'are \\r\\n now', 'are\n\nnow'])
    assert.deepEqual(lookFor(['are now'], text).found, ['are now'], text);
  for (const text of ['arenow', 'are\\"now', 'are now'.slice(0, 6), 'are.now', 'xare', 'now are', 'a re now'])
    assert.deepEqual(lookFor(['are now'], text).found, [], text);
  assert.deepEqual(lookFor(['say "no" to'], 'say \\"yes\\"').found, ['say "no" to']);
});

test('bytes are unreadable that may stand for other texts', () => {
  for (const text of ['é', '\x7f', 'a\x00b', 'a\\u0062c', 'a\\/b', 'a\\bc', 'a\\x62', '\\\\u0062', '\\\\X62'])
    for (const more of ['', ' and some more of it'])
      assert.equal(lookFor(['abc'], text + more).told, Look.unreadable, text);
  for (const text of ['a b', 'a\\nb', 'a\\"b\\\\', '\\d', 'a\\', 'tab\tline\r\n', '~ @ [] {} ^'])
    for (const more of ['', ' and some more of it']) assert.equal(lookFor(['abc'], text + more).told, 0, text);
});

const encodedPieces = oneOf(
  ...[
    'aGVsbG8gd29ybGQgYWdhaW4',
    '68656c6c6f20776f726c64',
    '68 65 6c 6c 6f 20 77 6f 72',
    '%68%65',
    '&lt;',
    'a'.repeat(15),
  ],
  ...[
    '12:34:56',
    '2026-11-29',
    '1,22,33,44,55,66,77,88,99',
    '68:65:6C',
    'c3 a9',
    '/usr/share/dict',
    'hello.example.com',
  ],
);

test('nothing is decoded of bytes that are not said to be encoded', () => {
  const text = fc
    .array(fc.oneof(encodedPieces, oneOf('word', ' ', ', ', '.', 'x', 'face', 'a bad', '\n', '+')), { maxLength: 12 })
    .map((pieces) => pieces.join(''));
  let layers = 0;
  fc.assert(
    fc.property(text, fc.nat({ max: 3 }), (each, before) => {
      // Words in rot13 are needles of those who ask.
      if (decodedLayers(each, { mayTurn: false }).length === 0) return;
      layers++;
      assert.notEqual(lookFor(['abc'], each, before).told, 0, each);
    }),
    { numRuns: 3000 },
  );
  assert.ok(layers > 300, `${layers} texts had layers`);
});

test('nor of numbers that become hex when JSON is written anew', () => {
  const digits = '6461746162617365';
  const numbers = [
    ...['[100, 97, 116, 97, 98, 97]', '[64, 61, 74, 61, 62, 61, 73, 65]', '[64.0,61e0,74,61,62,61,73,65]'],
    ...[digits, `${digits.slice(0, 8)}.${digits.slice(8)}e8`, `${digits[0]}.${digits.slice(1)}e+15`, `${digits}E0`],
    ...['[64,\n  61,\n  74,\n  61,\n  62,\n  61,\n  73,\n  65\n]', '[\t640e-1,610e-1,74,61,62,61,73,65]'],
  ];
  let layers = 0;
  for (const json of numbers) {
    const text = valueJson(JSON.parse(json));
    if (decodedLayers(text).length === 0) continue;
    layers++;
    assert.notEqual(lookFor(['abc'], `{"a": ${json}}`).told, 0, json);
  }
  assert.ok(layers >= 7, `${layers} numbers had layers`);
});

test('most texts are not said to be encoded', () => {
  for (const text of [
    'The quick brown fox jumps over the lazy dog on 2026-11-29 at 12:34.',
    '{"role":"tool","parts":[{"type":"tool_call_response","id":"c1","response":"shipped"}]}',
    'a bad face in a cafe, 12 of 34 at 56 each',
  ])
    assert.equal(lookFor(['abc'], text).told, 0, text);
});

test('nothing comes of decoding the words around messages', () => {
  for (const word of messageWords) assert.deepEqual(decodedLayers(`{"${word}":1}`), [], word);
});

test('more needles than the table has room for give no index', () => {
  const needle = { text: 'abc', before: '', behind: '' };
  assert.notEqual(
    createGramIndex(new Array(900).fill(needle), () => {}),
    undefined,
  );
  assert.equal(
    createGramIndex(new Array(1100).fill(needle), () => {}),
    undefined,
  );
});
