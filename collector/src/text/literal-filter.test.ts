import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createLiteralFilter } from './literal-filter.ts';

const letters = fc.constantFrom(...'abkeyKEY_-:/ ', '\u016b', '\u0301', '😀');
const literal = fc.array(fc.constantFrom(...'abkeyKEY_-:/'), { minLength: 2, maxLength: 5 }).map((all) => all.join(''));
const text = fc.array(letters, { maxLength: 24 }).map((all) => all.join(''));

/** What a character beyond Latin-1 is taken for. */
function inBytes(all: string): string {
  return Buffer.from(all, 'latin1').toString('latin1');
}

test('a filter says yes exactly where one of its literals stands, wherever that is', () => {
  fc.assert(
    fc.property(fc.array(literal, { minLength: 1, maxLength: 4 }), text, fc.boolean(), (literals, all, ignoreCase) => {
      const shown = (each: string) => (ignoreCase ? each.toLowerCase() : each);
      const expected = literals.some((each) => shown(inBytes(all)).includes(shown(each)));
      assert.equal(createLiteralFilter(literals, { ignoreCase })(all), expected);
    }),
    { numRuns: 5_000 },
  );
});

test('a literal is found at every place of a long text, also where the text is cut into pieces', () => {
  const has = createLiteralFilter(['needle', 'ab'], { ignoreCase: true });
  const all = 'x'.repeat(20_000);
  assert.equal(has(all), false);
  for (const each of ['needle', 'NEEDLE', 'ab', 'AB']) {
    for (const around of [0, 1, 8180, 8190, 16_380, 16_375, all.length - 4]) {
      for (let at = around; at < around + 14 && at <= all.length; at++)
        assert.equal(has(all.slice(0, at) + each + all.slice(at)), true, `${each} at ${at}`);
    }
  }
});
