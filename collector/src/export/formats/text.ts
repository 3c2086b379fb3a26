// What texts of events become before they stand in a document or a line. All of them are hostile.

/** Stands at the end of a text that was cut. */
export const cutMark = '…[cut]';

const cutMarkBytes = Buffer.byteLength(cutMark);

/**
 * A text of at most `bytesMax` bytes of UTF-8. A longer one ends in `cutMark`, never inside a code point; where not even the mark
 * fits, nothing stays. Lone surrogates, which UTF-8 cannot carry, become U+FFFD.
 */
export function cutBytes(text: string, bytesMax: number): string {
  const whole = text.toWellFormed();
  // A UTF-16 unit is at most three bytes.
  if (whole.length * 3 <= bytesMax || Buffer.byteLength(whole) <= bytesMax) return whole;
  if (bytesMax < cutMarkBytes) return '';
  const bytes = Buffer.from(whole.slice(0, bytesMax));
  let end = bytesMax - cutMarkBytes;
  // Bytes 10xxxxxx go on with a code point that began before.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end).toWellFormed() + cutMark;
}

/**
 * A value as JSON on one line, of ASCII controls, line and paragraph separators and invisible characters (bidi controls among them)
 * only their escapes: no reader of lines breaks it, no terminal obeys it, and a JSON parser gives the very text again. Lone
 * surrogates become U+FFFD, because many parsers refuse their escapes. Throws a TypeError for a bigint.
 */
export function jsonText(value: unknown): string {
  // A replacer would double the time. Lone surrogates are all that JSON.stringify writes as \ud….
  return JSON.stringify(value).replace(loneSurrogates, replacementUnit).replace(invisible, jsonEscape);
}

/** Escapes of lone surrogates, and escaped backslashes, behind which the same letters are no escape. */
const loneSurrogates = /\\(?:\\|ud[89a-f][0-9a-f]{2})/g;

function replacementUnit(written: string): string {
  return written === '\\\\' ? written : '\ufffd';
}

/** Outside the first plane a character has two escapes, one for each half of its surrogate pair. */
function jsonEscape(character: string): string {
  const low = character.length > 1 ? unitEscape(character.charCodeAt(1)) : '';
  return unitEscape(character.charCodeAt(0)) + low;
}

function unitEscape(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}

/**
 * Controls (C0, C1, DEL), format characters (bidi controls, zero-width ones, tags), the separators of lines and paragraphs, and
 * variation selectors: nothing a reader of a line would see, and much that it might obey.
 */
const invisible = /\p{Cc}|\p{Cf}|\u2028|\u2029|\p{Variation_Selector}/gu;

/**
 * A text for formats that have no escape for controls: what cannot be seen, and what `more` matches, is written as its code point,
 * `<U+001B>`. The text stays on one line. Lone surrogates become U+FFFD.
 */
export function visible(text: string, more?: RegExp): string {
  const shown = text.toWellFormed().replace(invisible, codePoint);
  return more === undefined ? shown : shown.replace(more, codePoint);
}

/** `<U+001B>`. */
export function codePoint(character: string): string {
  return `<U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}>`;
}
