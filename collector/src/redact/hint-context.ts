/** Whether what a hint alone does not say stands behind it. Both may say yes too often, and never no where a format would match. */

/**
 * Whether `:` or `=` follows shortly, and then what may be the value of a secret: a run of at least `valueBytesMin` bytes with a
 * digit. Escapes only make a value longer, and quotes, spaces and brackets stand for themselves with or without one.
 */
export function assignmentFollows(bytes: Uint8Array, end: number): boolean {
  return anyFollows(bytes, end, assignmentBytesMax, valueFollows);
}

/** The same for a password, which may be shorter and have brackets in it. */
export function passwordFollows(bytes: Uint8Array, end: number): boolean {
  return anyFollows(bytes, end, assignmentBytesMax, passwordValueFollows);
}

/** The same for one of several cookies. */
export function cookieFollows(bytes: Uint8Array, end: number): boolean {
  for (let at = end; at < end + cookieSignBytesMax && at < bytes.length; at++)
    if (isSign(bytes[at]!)) return anyFollows(bytes, end, contextBytesMax, valueFollows);
  return false;
}

function anyFollows(
  bytes: Uint8Array,
  end: number,
  within: number,
  follows: (bytes: Uint8Array, from: number) => boolean,
): boolean {
  let left = within;
  for (let at = end; at < bytes.length && left > 0; at++) {
    const byte = bytes[at]!;
    // Of these there are any number where JSON was encoded again and again.
    if (byte !== 0x5c) left--;
    if (isSign(byte) && follows(bytes, at + 1)) return true;
  }
  return false;
}

/** `@` before the authority of a URL ends. `end` is behind `://`, or behind the first of its slashes where these are escaped. */
export function credentialsFollow(bytes: Uint8Array, end: number): boolean {
  const stop = Math.min(bytes.length, end + contextBytesMax);
  let start = end;
  while (start < stop && (bytes[start] === 0x5c || bytes[start] === 0x2f)) start++;
  for (let at = start; at < stop; at++) {
    const byte = bytes[at]!;
    if (byte === 0x40) return true;
    if (byteKinds[byte] === gap || byte === 0x2f || byte === 0x3c || byte === 0x3e) return false;
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

function passwordValueFollows(bytes: Uint8Array, from: number): boolean {
  const stop = Math.min(bytes.length, from + contextBytesMax);
  let at = from;
  while (at < stop && (byteKinds[bytes[at]!] === gap || bytes[at] === 0x5c)) at++;
  const start = at;
  let digit = false;
  while (at < stop && byteKinds[bytes[at]!] !== gap) digit = isDigit(bytes[at++]!) || digit;
  return (digit && at - start >= passwordBytesMin) || (at === stop && stop < bytes.length);
}

function isSign(byte: number): boolean {
  return byte === 0x3a || byte === 0x3d;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

const assignmentBytesMax = 32;
/** Behind this it is not looked on. */
const contextBytesMax = 2048;
/** The shortest value that a format takes. */
const valueBytesMin = 12;
const passwordBytesMin = 6;
/** Between the word and its sign. */
const cookieSignBytesMax = 8;

const other = 0;
/** Quotes and ASCII white space. Other white space counts as part of a value, which may only say yes too often. */
const gap = 1;
const bracket = 2;
const byteKinds = new Uint8Array(256);
for (const character of ' \t\n\v\f\r"\'') byteKinds[character.charCodeAt(0)] = gap;
for (const character of '<>{}$()') byteKinds[character.charCodeAt(0)] = bracket;
