import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { unescapeTo } from './json-escapes.ts';

/** The text that stands at `start` of some bytes, without its quotes. */
function unescaped(json: string, start = 0): string | undefined {
  const source = Buffer.from(`${'#'.repeat(start)}${json.slice(1, -1)}\\" behind`);
  const end = start + Buffer.byteLength(json) - 2;
  const target = Buffer.alloc(end - start);
  const length = unescapeTo(target, source, start, end);
  return length < 0 ? undefined : target.toString('utf8', 0, length);
}

test('every escape of one letter is what JSON.parse says of it', () => {
  for (const letter of '"\\/bfnrt') {
    const json = `"a\\${letter}b\\${letter}"`;
    assert.equal(unescaped(json), JSON.parse(json));
  }
});

test('code units in digits are left to JSON.parse', () => {
  assert.equal(unescaped('"a\\u0041"'), undefined);
});

test('fuzz: texts are what JSON.parse says, with runs of any length between escapes', () => {
  const piece = fc.oneof(
    fc.constantFrom('\\n', '\\"', '\\\\', '\\/', '\\t', 'ä', '€', '😀'),
    fc.nat(80).map((length) => 'x'.repeat(length)),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.nat(5), (pieces, start) => {
      const json = `"${pieces.join('')}"`;
      assert.equal(unescaped(json, start), JSON.parse(json));
    }),
    { numRuns: 3000 },
  );
});
