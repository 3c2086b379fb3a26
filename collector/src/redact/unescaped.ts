/** A text without the escapes of JSON, of code, of URLs and of HTML, and where its characters stood. */
export interface Unescaped {
  readonly text: string;
  /** Where the character with this index begins in the original, for each and for the end; undefined when nothing changed. */
  readonly starts: Uint32Array | undefined;
}

/**
 * Reads a run of backslashes with the character behind it as the one character that it says, whatever the depth of encoding:
 * a secret within JSON within JSON stands there as it is, and `\\n` in front of it is no letter n. Characters of ASCII that URLs
 * and HTML write by their numbers, and the references of HTML for quotes and the like, are read as well, one layer of them.
 */
export function unescaped(original: string): Unescaped {
  if (!anyEscape.test(original)) return { text: original, starts: undefined };
  const starts = new Uint32Array(original.length + 1);
  const codes = new Uint16Array(original.length);
  let count = 0;
  let all = 0;
  for (let at = 0; at < original.length; ) {
    starts[count] = at;
    let code = original.charCodeAt(at);
    if (code === backslash) [code, at] = backslashed(original, at + 1);
    else if (code === percent || code === ampersand) [code, at] = referred(original, at, code);
    else at++;
    all |= code;
    codes[count++] = code;
  }
  starts[count] = original.length;
  return { text: textOf(codes.subarray(0, count), all > 0xff), starts };
}

/** The character that a run of backslashes says, and where what follows begins. */
function backslashed(text: string, behind: number): readonly [code: number, end: number] {
  let at = behind;
  while (at < text.length && text.charCodeAt(at) === backslash) at++;
  if (at >= text.length) return [backslash, at];
  const letter = text.charCodeAt(at++);
  const unit = letter === letterU ? hexUnit(text, at) : -1;
  return unit >= 0 ? [unit, at + 4] : [escapes.get(letter) ?? letter, at];
}

/** `%41`, `&#65;`, `&#x41;` or `&quot;`; the character itself where it is none of them. */
function referred(text: string, at: number, code: number): readonly [code: number, end: number] {
  if (code === percent) {
    const byte = /^[0-7][0-9a-f]$/i.test(text.slice(at + 1, at + 3))
      ? Number.parseInt(text.slice(at + 1, at + 3), 16)
      : -1;
    return byte < 0 ? [code, at + 1] : [byte, at + 3];
  }
  const [found, decimal, hex, name] = reference.exec(text.slice(at, at + 12)) ?? [];
  if (found === undefined) return [code, at + 1];
  const unit =
    name !== undefined
      ? references.get(name.toLowerCase())!
      : Number.parseInt(decimal ?? hex!, decimal === undefined ? 16 : 10);
  return unit > 0 && unit < 0x80 ? [unit, at + found.length] : [code, at + 1];
}

function hexUnit(text: string, at: number): number {
  const digits = text.slice(at, at + 4);
  return /^[0-9a-fA-F]{4}$/.test(digits) ? Number.parseInt(digits, 16) : -1;
}

/** Texts of one byte a character are looked through in half the time. */
function textOf(codes: Uint16Array, isWide: boolean): string {
  if (!isWide) return Buffer.from(codes).toString('latin1');
  return Buffer.from(codes.buffer, 0, codes.length * 2).toString('utf16le');
}

/** Most texts have none of them. */
const anyEscape = /\\|%[0-7][0-9a-f]|&[#a-z]/i;
const reference = /^&(?:#0{0,4}(\d{1,3});?|#x0{0,4}([0-9a-f]{1,2});?|(quot|amp|lt|gt|apos|nbsp);)/i;
const references = new Map(Object.entries({ quot: 0x22, amp: 0x26, lt: 0x3c, gt: 0x3e, apos: 0x27, nbsp: 0x20 }));
const backslash = 0x5c;
const percent = 0x25;
const ampersand = 0x26;
const letterU = 0x75;
const escapes = new Map(
  [...'nrtbf'].map((letter, index) => [letter.charCodeAt(0), '\n\r\t\b\f'.charCodeAt(index)] as const),
);
