const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const bracket = 0x5b;
const brace = 0x7b;

/** Whether JSON opens more objects and arrays, and separates more members, than `max`. Reads no further than it must; cannot fail. */
export function hasMoreValues(bytes: Buffer, max: number): boolean {
  let left = max;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte === quote) {
      at = endOfString(bytes, at);
      if (at < 0) return false;
    } else if (byte === comma || byte === brace || byte === bracket) {
      if (--left < 0) return true;
    }
  }
  return false;
}

/** Where the quote is that ends the string begun at `start`; -1 when there is none. */
function endOfString(bytes: Buffer, start: number): number {
  for (let from = start + 1; ; ) {
    const end = bytes.indexOf(quote, from);
    if (end < 0) return -1;
    let slashes = 0;
    while (bytes[end - 1 - slashes] === backslash) slashes++;
    if (slashes % 2 === 0) return end;
    from = end + 1;
  }
}
