import { crc32 } from 'node:zlib';

/** Payment cards and others: ISO/IEC 7812-1. Digits only. */
export function luhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 48;
    const doubled = i % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** A card number: 13 to 19 digits, Luhn, and not one digit over and over. Spaces and dashes are allowed. */
export function isCardNumber(found: string): boolean {
  const digits = found.replace(/\D/g, '');
  return digits.length >= 13 && digits.length <= 19 && !/^(\d)\1+$/.test(digits) && luhn(digits);
}

/** ISO 7064 mod 97-10, as ISO 13616 uses it. */
export function isIban(found: string): boolean {
  const compact = found.replace(/ /g, '');
  if (compact.length < 15 || compact.length > 34) return false;
  let remainder = 0;
  for (const char of compact.slice(4) + compact.slice(0, 4)) {
    const value = char >= 'A' ? char.charCodeAt(0) - 55 : Number(char);
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return remainder === 1;
}

/** Brazil's CPF: two check digits modulo 11. */
export function isCpf(found: string): boolean {
  const digits = [...found.replace(/\D/g, '')].map(Number);
  if (digits.length !== 11 || digits.every((digit) => digit === digits[0])) return false;
  return [9, 10].every((count) => {
    const sum = digits.slice(0, count).reduce((total, digit, at) => total + digit * (count + 1 - at), 0);
    return ((sum * 10) % 11) % 10 === digits[count];
  });
}

/** France's NIR (social security): 97 minus the number modulo 97; Corsica's 2A and 2B count as 19 and 18. */
export function isNir(found: string): boolean {
  const compact = found.replace(/\s/g, '').replace(/2A/i, '19').replace(/2B/i, '18');
  return /^\d{15}$/.test(compact) && 97 - (Number(compact.slice(0, 13)) % 97) === Number(compact.slice(13));
}

/** Spain's DNI and NIE: the letter is the number modulo 23. */
export function isDni(found: string): boolean {
  const number = Number(found.slice(0, -1).replace(/^X/, '0').replace(/^Y/, '1').replace(/^Z/, '2'));
  return 'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23] === found.at(-1);
}

/** US bank routing number: ABA checksum, and a Federal Reserve prefix. */
export function isRoutingNumber(digits: string): boolean {
  if (!/^(?:0\d|1[0-2]|2[1-9]|3[0-2]|6[1-9]|7[0-2]|80)\d{7}$/.test(digits)) return false;
  const sum = [...digits].reduce((total, digit, at) => total + Number(digit) * [3, 7, 1][at % 3]!, 0);
  return sum % 10 === 0 && sum > 0;
}

const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/**
 * The checksum of GitHub's and npm's tokens: the last six of 36 characters are the CRC-32 of the thirty before, in base 62.
 * https://github.blog/2021-04-05-behind-githubs-new-authentication-token-formats/
 */
export function hasTokenChecksum(token: string): boolean {
  const body = token.slice(token.indexOf('_') + 1);
  if (body.length !== 36) return false;
  let rest = crc32(body.slice(0, 30));
  let text = '';
  for (let i = 0; i < 6; i++) {
    text = base62[rest % 62]! + text;
    rest = Math.floor(rest / 62);
  }
  return text === body.slice(30);
}

/** Shannon's entropy in bits per character: 0 for one character over and over, about 4 for hex, 5 to 6 for base64. */
export function entropy(text: string): number {
  const counts = new Map<number, number>();
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}
