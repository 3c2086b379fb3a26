import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { normaliseText, placeOfNormalised } from './normalise-text.ts';

suite('normalised text', () => {
  const alike: readonly (readonly [what: string, text: string, normalised: string])[] = [
    ['zero-width characters', 'ig\u200bno\u2060re', 'ignore'],
    ['variation selectors and tag characters', 'ig\ufe0fno\u{e0061}re\u{e0101}', 'ignore'],
    ['a soft hyphen and a direction override', 'ig\u00adno\u202ere', 'ignore'],
    ['control characters', 'ig\x00no\x1bre\x85all', 'ignore all'],
    ['full-width letters', 'ＩＧＮＯＲＥ　ａｌｌ', 'ignore all'],
    ['mathematical and circled letters', '𝓲𝕘𝖓ⓞ𝚛ｅ', 'ignore'],
    ['white letters on black', '🅸🅖🅝🅾🆁🅔', 'ignore'],
    ['Cyrillic look-alikes', 'іgnоrе', 'ignore'],
    ['capital Cyrillic look-alikes', 'ІGNОRЕ АLL ВУPАSS', 'ignore all bypass'],
    ['Greek look-alikes', 'ιgnοrε', 'ignore'],
    ['accents', 'í̷g̷nöré', 'ignore'],
    ['typographic quotes and dashes', 'don’t – “stop”', `don't - "stop"`],
    ['runs of white space', 'ignore\r\n\t \u2003all', 'ignore all'],
    ['ASCII stays what it is', 'Illicit 0x1m rn|', 'illicit 0x1m rn|'],
    ['vowel signs and voicing marks stay', 'नमस्ते がか 한국어', 'नमस्ते がか 한국어'],
  ];
  for (const [what, text, normalised] of alike) test(what, () => assert.equal(normaliseText(text), normalised));

  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.string({ unit: fc.constantFrom(...'aB \n\u200bíＡВ𝓲ﬁßςΣ\u0345İıẞǅ\u0300'), maxLength: 40 }),
  );

  test('normalising twice changes nothing', () => {
    fc.assert(
      fc.property(texts, (text) => assert.equal(normaliseText(normaliseText(text)), normaliseText(text))),
      { numRuns: 5000 },
    );
    for (let code = 0; code <= 0xe01ff; code += code === 0x2ffff ? 0xb0001 : 1) {
      const once = normaliseText(String.fromCodePoint(code));
      if (normaliseText(once) !== once) assert.fail(`U+${code.toString(16)}`);
    }
  });

  test('upper and lower case are one', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'ignore АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ ΑΒΓΔΕ é'), maxLength: 20 }),
        (text) => assert.equal(normaliseText(text.toUpperCase()), normaliseText(text.toLowerCase())),
      ),
    );
  });

  test('a place in the normalised text leads back to the same words', () => {
    const filler = fc.array(fc.constantFrom('word ', 'ｗｏｒｄ ', 'w\u200bord  ', '한국 ', 'e\u0301 '), {
      maxLength: 900,
    });
    fc.assert(
      fc.property(filler, filler, (before, after) => {
        const text = `${before.join('')}ｎｅ\u200bedle${after.join('')}`;
        const start = normaliseText(text).indexOf('needle');
        const place = placeOfNormalised(text, start, start + 6);
        assert.equal(text.slice(place.start, place.end), 'ｎｅ\u200bedle');
      }),
      { numRuns: 200 },
    );
  });
});
