/** Whether what a hint alone does not say stands behind it. Both may say yes too often, and never no where a format would match. */

/**
 * Whether `:` or `=` follows shortly, and then what may be the value of a secret: a run of at least `valueBytesMin` bytes with a
 * digit. Escapes only make a value longer, and quotes, spaces and brackets stand for themselves with or without one.
 */
export function assignmentFollows(bytes: Uint8Array, end: number): boolean {
  let left = assignmentBytesMax;
  for (let at = end; at < bytes.length && left > 0; at++) {
    const byte = bytes[at]!;
    // Of these there are any number where JSON was encoded again and again.
    if (byte !== 0x5c) left--;
    if ((byte === 0x3a || byte === 0x3d) && valueFollows(bytes, at + 1)) return true;
  }
  return false;
}

/** `:`, and later `@`, before the authority of a URL ends. `end` is behind `://`. */
export function credentialsFollow(bytes: Uint8Array, end: number): boolean {
  const stop = Math.min(bytes.length, end + contextBytesMax);
  let colon = false;
  for (let at = end; at < stop; at++) {
    const byte = bytes[at]!;
    if (byte === 0x40) return colon;
    if (byte === 0x3a) colon = true;
    else if (byteKinds[byte] === gap || byte === 0x2f || byte === 0x3c || byte === 0x3e) return false;
  }
  return stop < bytes.length;
}

function valueFollows(bytes: Uint8Array, from: number): boolean {
  const stop = Math.min(bytes.length, from + contextBytesMax);
  let at = from;
  while (at < stop && (byteKinds[bytes[at]!] === gap || bytes[at] === 0x5c)) at++;
  const start = at;
  let digit = false;
  while (at < stop && byteKinds[bytes[at]!] === other) digit = isDigit(bytes[at++]!) || digit;
  if (at === stop && stop < bytes.length) return true;
  if (at - start < valueBytesMin) return false;
  // The digit may stand behind a bracket, at which the value ends.
  while (!digit && at < stop && byteKinds[bytes[at]!] !== gap) digit = isDigit(bytes[at++]!);
  return digit || (at === stop && stop < bytes.length);
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

const assignmentBytesMax = 32;
/** Behind this it is not looked on. */
const contextBytesMax = 2048;
/** The shortest value that a format takes. */
const valueBytesMin = 12;

const other = 0;
/** Quotes and ASCII white space. Other white space counts as part of a value, which may only say yes too often. */
const gap = 1;
const bracket = 2;
const byteKinds = new Uint8Array(256);
for (const character of ' \t\n\v\f\r"\'') byteKinds[character.charCodeAt(0)] = gap;
for (const character of '<>{}$()') byteKinds[character.charCodeAt(0)] = bracket;
