import { parsePhoneNumberFromString } from 'libphonenumber-js/min';

/**
 * Telephone numbers in text, by place: international form, or three groups as in North America; bare digit runs are far more
 * often ids. Each candidate is checked by the numbering plan of its country; numbers of the fictional exchange 555 count, because in
 * tests and examples they stand for real ones. At most `max`, and of so many candidates, because the check takes some 20 µs.
 */
export function phonePlaces(text: string, max = 64): { readonly start: number; readonly end: number }[] {
  const places: { start: number; end: number }[] = [];
  let candidates = 64;
  for (const match of text.matchAll(pattern)) {
    if (places.length >= max || --candidates < 0) break;
    if (isPhone(match[0])) places.push({ start: match.index, end: match.index + match[0].length });
  }
  return places;
}

const pattern =
  /(?<![\w+.-])(?:(?:\+\d{1,3}|00[1-9]\d{0,2}(?=[ .-]))[ .-]?(?:\(?\d{1,4}\)?[ .-]?){2,5}\d{2,4}|(?:1[ .-])?\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4})(?![\w-])/g;

function isPhone(written: string): boolean {
  const digits = written.replace(/\D/g, '');
  if (digits.length < 9 || digits.length > 15) return false;
  const number = parsePhoneNumberFromString(written.replace(/^00/, '+'), 'US');
  if (number === undefined) return false;
  return (
    number.isValid() ||
    (number.countryCallingCode === '1' && number.isPossible() && /^(?:555|...555)/.test(number.nationalNumber))
  );
}
