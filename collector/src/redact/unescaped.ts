/** A text without the backslash escapes of JSON and of code, however often it was encoded, and where its characters stood. */
export interface Unescaped {
  readonly text: string;
  /** Where the character with this index begins in the original, for each and for the end; undefined when nothing changed. */
  readonly starts: Uint32Array | undefined;
}

/**
 * Reads a run of backslashes with the character behind it as the one character that it says, whatever the depth of encoding:
 * a secret within JSON within JSON stands there as it is, and `\n` in front of it is no letter n.
 */
export function unescaped(original: string): Unescaped {
  if (!original.includes('\\')) return { text: original, starts: undefined };
  const starts = new Uint32Array(original.length + 1);
  const codes = new Uint16Array(original.length);
  let count = 0;
  for (let at = 0; at < original.length; ) {
    starts[count] = at;
    let code = original.charCodeAt(at++);
    if (code === backslash) {
      while (at < original.length && original.charCodeAt(at) === backslash) at++;
      if (at < original.length) {
        const letter = original.charCodeAt(at++);
        const unit = letter === letterU ? hexUnit(original, at) : -1;
        if (unit >= 0) at += 4;
        code = unit >= 0 ? unit : (escapes.get(letter) ?? letter);
      }
    }
    codes[count++] = code;
  }
  starts[count] = original.length;
  return { text: textOf(codes, count), starts };
}

function hexUnit(text: string, at: number): number {
  const digits = text.slice(at, at + 4);
  return /^[0-9a-fA-F]{4}$/.test(digits) ? Number.parseInt(digits, 16) : -1;
}

function textOf(codes: Uint16Array, count: number): string {
  return Buffer.from(codes.buffer, 0, count * 2).toString('utf16le');
}

const backslash = 0x5c;
const letterU = 0x75;
const escapes = new Map(
  [...'nrtbf'].map((letter, index) => [letter.charCodeAt(0), '\n\r\t\b\f'.charCodeAt(index)] as const),
);
