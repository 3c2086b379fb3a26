import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { cutBytes, cutMark, jsonText, visible } from './text.ts';

test('a text is cut to bytes, never inside a code point, with the mark at its end', () => {
  assert.equal(cutBytes('short', 5), 'short');
  assert.equal(cutBytes('\u{1f9d1}'.repeat(10), 16), `\u{1f9d1}\u{1f9d1}${cutMark}`);
  assert.equal(cutBytes('ä'.repeat(10), 13), `ää${cutMark}`);
  assert.equal(cutBytes('too long', 7), '');
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.integer({ min: 0, max: 80 }), (text, bytesMax) => {
      const cut = cutBytes(text, bytesMax);
      assert.ok(Buffer.byteLength(cut) <= bytesMax);
      assert.ok(cut.isWellFormed());
      if (cut !== text.toWellFormed() && cut !== '') {
        assert.ok(cut.endsWith(cutMark));
        assert.ok(text.toWellFormed().startsWith(cut.slice(0, -cutMark.length)));
      }
    }),
  );
});

test('JSON holds no character that a reader of lines or a terminal obeys, and gives the text again', () => {
  const text = 'a\n\u001b[2J\u009b\u2028\u202e\u{e0041}\u200b"\\';
  assert.equal(
    jsonText({ text, lone: '\ud800', written: '\\ud800' }),
    '{"text":"a\\n\\u001b[2J\\u009b\\u2028\\u202e\\udb40\\udc41\\u200b\\"\\\\","lone":"\ufffd","written":"\\\\ud800"}',
  );
  assert.equal(JSON.parse(jsonText(text)), text);
  assert.throws(() => jsonText(1n), TypeError);
});

test('without escapes what cannot be seen is written as its code point', () => {
  assert.equal(visible('a\n\u001b[2J|\u{e0041}\ud800', /[|]/g), 'a<U+000A><U+001B>[2J<U+007C><U+E0041>\ufffd');
});
