import { isIban } from './checksums.ts';

/**
 * IBANs in a text, at most `max`, in either case and with spaces or dashes between groups: as many characters as the country's have,
 * and a checksum that fits. https://www.swift.com/standards/data-standards/iban-international-bank-account-number
 */
export function ibanPlaces(text: string, max = 64): { readonly start: number; readonly end: number }[] {
  const places: { start: number; end: number }[] = [];
  let tries = 256;
  let behind = 0;
  for (const { index: start, 0: head } of text.matchAll(beginning)) {
    if (places.length >= max || --tries < 0) break;
    const length = lengths.get(head.slice(0, 2).toUpperCase());
    if (length === undefined || start < behind) continue;
    const end = endOf(text, start, length);
    if (end < 0 || !isIban(text.slice(start, end).replace(separators, '').toUpperCase())) continue;
    places.push({ start, end });
    behind = end;
  }
  return places;
}

/** A country, check digits, and a fifth character. */
const beginning = /(?<![A-Za-z0-9])(?:[A-Z]{2}|[a-z]{2})\d{2}(?=[ \u00a0-]?[A-Za-z0-9])/g;
const separators = /[ \u00a0-]/g;

/** Where so many letters and digits end, with at most one separator between two; -1 when there are fewer or more. */
function endOf(text: string, start: number, length: number): number {
  let at = start;
  for (let count = 0; count < length; count++) {
    if (count > 0 && isSeparator(text[at])) at++;
    if (!isAlphanumeric(text[at])) return -1;
    at++;
  }
  return isAlphanumeric(text[at]) ? -1 : at;
}

function isSeparator(char: string | undefined): boolean {
  return char === ' ' || char === '-' || char === '\u00a0';
}

function isAlphanumeric(char: string | undefined): boolean {
  return char !== undefined && /[A-Za-z0-9]/.test(char);
}

const lengths: ReadonlyMap<string, number> = new Map(
  Object.entries({
    ...{
      15: 'NO',
      16: 'BE',
      18: 'DK FI FK FO GL NL SD',
      19: 'MK SI',
      20: 'AT BA EE KZ LT LU MN XK',
      21: 'CH HR LI LV',
    },
    ...{ 22: 'BG BH CR DE GB GE IE ME RS VA', 23: 'AE GI IL IQ OM SO TL', 24: 'AD CZ ES MD PK RO SA SE SK TN VG' },
    ...{ 25: 'LY PT ST', 26: 'IS TR', 27: 'BI DJ FR GR IT MC MR SM', 28: 'AL AZ BY CY DO GT HU LB NI PL SV' },
    ...{ 29: 'BR EG PS QA UA', 30: 'JO KW MU YE', 31: 'MT SC', 32: 'LC', 33: 'RU' },
  }).flatMap(([length, countries]) => countries.split(' ').map((country) => [country, Number(length)] as const)),
);
