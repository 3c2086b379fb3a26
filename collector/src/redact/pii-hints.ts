/**
 * What every kind of personal data has: `@`, six digits with nothing but separators of numbers between them, or two capitals and
 * two digits, as an IBAN begins. Backslashes are looked through, because escapes are not taken off yet.
 */
export function mayHoldPii(text: string): boolean {
  return text.includes('@') || numbers.test(text) || text.includes('\\u00');
}

/** The same without e-mail addresses, of a text without escapes. */
export function mayHoldNumbers(text: string): boolean {
  return numbers.test(text);
}

const numbers = /(?:\d[ .()\\\u00a0-]*){5}\d|[A-Z]\\*[A-Z]\\*\d\\*\d/;

/** `mayHoldPii` of the text in [start, end), with one look at each byte; escapes of characters are left to the hints of secrets. */
export function mayHoldPiiIn(bytes: Uint8Array, start: number, end: number): boolean {
  let digits = 0;
  let capitals = 0;
  for (let at = start; at < end; at++) {
    const kind = byteKinds[bytes[at]!]!;
    if (kind === lookedThrough) continue;
    if (kind === digit) {
      digits++;
      if (digits >= numberDigitsMin || (capitals >= 2 && digits === 2)) return true;
    } else if (kind === capital) {
      capitals = digits === 0 ? capitals + 1 : 1;
      digits = 0;
    } else if (kind === separator) {
      capitals = 0;
    } else {
      if (kind === atSign) return true;
      digits = 0;
      capitals = 0;
    }
  }
  return false;
}

const numberDigitsMin = 6;
const digit = 1;
const separator = 2;
const capital = 3;
const lookedThrough = 4;
const atSign = 5;
const byteKinds = new Uint8Array(256);
byteKinds.fill(digit, 0x30, 0x3a);
byteKinds.fill(capital, 0x41, 0x5b);
for (const character of ' .()-') byteKinds[character.charCodeAt(0)] = separator;
// The bytes of a space that does not break.
byteKinds[0xc2] = separator;
byteKinds[0xa0] = separator;
byteKinds[0x5c] = lookedThrough;
byteKinds[0x40] = atSign;
