import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TextTrait, textHasRun, traitOf } from './traits.ts';

/** Plain searches for what the scan looks for a few places at a time. */
const longWord = /[A-Za-z0-9+/_-]{16}/;
const pairs = /[0-9a-f]{2}(?:[ :,][0-9a-f]{2}){7}/;
const isRun = (text: string) => longWord.test(text) || pairs.test(text);

test('a run is seen wherever it stands, and nothing else is', () => {
  const piece = fc.oneof(
    fc.constantFrom('word ', 'é', 'a', '. ', ' ', ':', 'ff', 'ab cd ', '0123456789abcde', 'AZaz09+/_-AZaz0'),
    fc.nat(12).map((count) => Array.from({ length: count }, (_, i) => (i * 7 + 16).toString(16)).join(':')),
    fc.integer({ min: 12, max: 18 }).map((length) => 'x'.repeat(length)),
  );
  const text = fc.tuple(fc.nat(60), fc.array(piece, { maxLength: 12 }));
  fc.assert(
    fc.property(text, ([before, parts]) => {
      const all = '.'.repeat(before) + parts.join('');
      assert.equal(textHasRun(all), isRun(all), JSON.stringify(all));
    }),
    { numRuns: 2_000 },
  );
});

test('the shortest runs are seen at every place, also at the very end, and what is one short or otherwise written is not', () => {
  const separated = (separator: string) => '0a 1b 2c 3d 4e 5f 60 71'.replaceAll(' ', separator);
  const runs = ['AZaz09+/_-AZaz09', separated(' '), separated(':'), separated(',')];
  const none = [...runs.map((run) => run.slice(1)), separated(' ').toUpperCase(), separated(';'), separated('  ')];
  for (const each of [...runs, ...none]) {
    for (let before = 0; before < 48; before++) {
      for (const after of ['', '.', '. . .']) {
        const text = `${'.'.repeat(before)}${each}${after}`;
        assert.equal(isRun(text), runs.includes(each), text);
        assert.equal(textHasRun(text), runs.includes(each), text);
      }
    }
  }
});

test('what is left of an earlier piece of a text is not taken for a part of its last one', () => {
  const half = 'x'.repeat(10);
  const last = 500;
  // Behind the last piece stands what the piece before had there.
  const text = `${'.'.repeat(last)}${half}${'.'.repeat(8192 - 64 - last - half.length + last - half.length)}${half}`;
  assert.equal(text.length, 8192 - 64 + last);
  assert.equal(textHasRun(text), false);
});

test('a run is seen across the places where a long text is taken apart', () => {
  const run = 'x'.repeat(16);
  const hex = '0a:1b:2c:3d:4e:5f:60:71';
  for (const each of [run, hex, hex.slice(1), run.slice(1)]) {
    for (const border of [8192, 2 * 8192 - 64]) {
      for (let before = 0; before <= 2 * each.length; before++) {
        const text = `${'.'.repeat(border - before)}${each}${'.'.repeat(9000)}`;
        assert.equal(textHasRun(text), isRun(text), `${each} ${before} before ${border}`);
      }
    }
  }
});

test('what begins an escape and what is not plain ASCII is told of each unit', () => {
  const escapes = new Set(['%', '&', '\\', '\u{e0041}'[0]].map((char) => char!.charCodeAt(0)));
  for (let unit = 0; unit < 0x10000; unit++) {
    const isOther = unit >= 0x7f;
    const wanted = (isOther ? TextTrait.other : 0) | (escapes.has(unit) ? TextTrait.escape : 0);
    assert.equal(traitOf(unit), wanted, unit.toString(16));
  }
});
