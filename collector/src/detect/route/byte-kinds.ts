/** What a byte of an attribute may mean, as bits. */
export const ByteKind = {
  /** Not ASCII, or a control character that is no white space: texts read from it may be read as other ones. */
  other: 1,
  /** Percent and HTML escapes begin with it. */
  escape: 2,
  backslash: 4,
  /** Of base64, hex and numbers. */
  run: 8,
  /** Of pairs of hex digits with separators between, and of numbers that may become such. */
  pairs: 16,
} as const;

/** By byte. */
export const byteKinds: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  const char = String.fromCharCode(byte);
  const other = /[^\t-\r -~]/.test(char) ? ByteKind.other : 0;
  const escaping = /[%&]/.test(char) ? ByteKind.escape : 0;
  const run = /[A-Za-z0-9+/_.-]/.test(char) ? ByteKind.run : 0;
  const pairs = /[0-9A-Fa-f+.,: \t-\r-]/.test(char) ? ByteKind.pairs : 0;
  return other | escaping | (char === '\\' ? ByteKind.backslash : 0) | run | pairs;
});

/** The kinds that one of the bytes of a pair has, and of `run` and `pairs` those that both have; by the first byte and 256 times the second. */
export function kindsOfPairs(): Uint8Array {
  const both = ByteKind.run | ByteKind.pairs;
  return Uint8Array.from({ length: 65_536 }, (_, pair) => {
    const [a, b] = [byteKinds[pair & 0xff]!, byteKinds[pair >>> 8]!];
    return ((a | b) & ~both) | (a & b & both);
  });
}

/**
 * Whether no backslash stands before what makes it an escape for any character, or for one that is not seen: so that no letter of a
 * text is written by an escape and none stands between others unseen. https://www.rfc-editor.org/rfc/rfc8259#section-7
 */
export function hasPlainEscapes(bytes: Buffer, start: number, end: number): boolean {
  // Few stand alone where there are any.
  for (let at = bytes.indexOf(backslash, start); at + 1 < end; at++) {
    if (bytes[at] === backslash && otherEscapes.has(bytes[at + 1]!)) return false;
  }
  return true;
}

const backslash = 0x5c;
/** Of code points, the backspace, and the slash, which is of base64. */
const otherEscapes: ReadonlySet<number> = new Set(Buffer.from('uUxXb/'));

/** As many characters as base64 and hex have at least where they are decoded, and as many pairs of hex digits. */
const runBytesMin = 16;
const pairsMin = 8;
/** A longer run is looked for no further. */
const runBytesMax = 64;

/** Whether the run of bytes around a place may be base64 or hex, or a number that is such when JSON is written anew. */
export function mayHoldRun(bytes: Buffer, at: number, start: number, end: number): boolean {
  let [from, to] = [at, at];
  while (from > start && at - from < runBytesMax && isOf(bytes[from - 1]!, ByteKind.run)) from--;
  while (to < end && to - at < runBytesMax && isOf(bytes[to]!, ByteKind.run)) to++;
  return to - from >= runBytesMin && (to - from >= runBytesMax || isEncoded(bytes.toString('latin1', from, to)));
}

function isEncoded(run: string): boolean {
  return number.test(run) || run.split('.').some((word) => word.length >= runBytesMin && !messageWords.has(word));
}

const number = /^[-+.0-9eE]+$/;

/** Of JSON that emitters write around texts; nothing comes of decoding them. */
export const messageWords: ReadonlySet<string> = new Set([
  'tool_call_response',
  'server_tool_call_response',
  'function_call_output',
  'function_response',
  'functionResponse',
  'additional_kwargs',
  'response_metadata',
]);

/** Whether so many groups of hex digits, or numbers, stand side by side that hex with separators may be read from them. */
export function mayHoldPairs(bytes: Buffer, start: number, end: number): boolean {
  let [groups, within] = [0, false];
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (!isOf(byte, ByteKind.pairs)) groups = 0;
    const isDigit = isOf(byte, ByteKind.pairs) && isOf(byte, ByteKind.run);
    if (isDigit && !within && ++groups === pairsMin) return true;
    within = isDigit;
  }
  return false;
}

function isOf(byte: number, kind: number): boolean {
  return (byteKinds[byte]! & kind) !== 0;
}
