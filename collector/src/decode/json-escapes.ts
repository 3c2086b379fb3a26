/**
 * Writes a text of JSON as what it stands for: `source[start, end)` without its quotes, whose escapes are known to be well-formed. Gives
 * how many bytes that are, which is never more than the text has; -1 when it has code units in digits, which are left to `JSON.parse`.
 */
export function unescapeTo(target: Buffer, source: Buffer, start: number, end: number): number {
  let to = 0;
  for (let at = start; at < end; ) {
    const near = Math.min(end, at + shortRun);
    while (at < near && source[at] !== backslash) target[to++] = source[at++]!;
    if (at < near) {
      const byte = meanings[source[at + 1]!]!;
      if (byte === 0) return -1;
      target[to++] = byte;
      at += 2;
    } else if (at < end) {
      // No further than the next text that has one, so that bodies are looked through once.
      const found = source.indexOf(backslash, at);
      const stop = found < 0 || found > end ? end : found;
      source.copy(target, to, at, stop);
      to += stop - at;
      at = stop;
    }
  }
  return to;
}

/** Whether such a letter may stand behind a backslash, but for `u`. */
export function isEscape(letter: number): boolean {
  return meanings[letter] !== 0;
}

/** By the letter behind a backslash the byte that it stands for (https://www.rfc-editor.org/rfc/rfc8259#section-7); 0 of all others. */
const meanings = new Uint8Array(256);
for (const letter of '"\\/bfnrt')
  meanings[letter.charCodeAt(0)] = (JSON.parse(`"\\${letter}"`) as string).charCodeAt(0);

const backslash = 0x5c;
/** A call into C++ costs more than copying so little. */
const shortRun = 24;
