import { createLiteralFilter } from '../text/literal-filter.ts';
import { isCardNumber, isCpf, isDni, isNir } from './checksums.ts';
import { ibanPlaces } from './iban.ts';
import { emailPlaces } from './network.ts';
import { phonePlaces } from './phones.ts';
import type { SecretFormat } from './secret-format.ts';
import { secretFormats } from './secret-formats.ts';
import { rememberedByText } from './text-memory.ts';

/**
 * Content classes: what kind of sensitive or hidden material stands in a text, and where. The values themselves go no further than
 * to whoever hashes or masks them.
 */
export interface ContentMatch {
  readonly class: 'secret' | 'pii';
  readonly kind: string;
  readonly start: number;
  readonly end: number;
  /** Whether the issuer's checksum fits; undefined where the format has none. */
  readonly checksum?: boolean;
}

const matchesPerKindMax = 64;
/** Candidates of one kind that are checked in a text. */
const triesMax = 256;

export function secretKinds(text: string): string[] {
  return hintedFormats(text)
    .filter((format) => firstMatch(text, format))
    .map(({ kind }) => kind);
}

/** Personal data, with checksums where the kind has one. */
export function piiKinds(text: string): string[] {
  const kinds: string[] = [];
  if (emailPlaces(text, 1).length > 0) kinds.push('email');
  if (!someDigits.test(text)) return kinds;
  for (const { kind, pattern, accepts } of numbers) {
    if (matchesOf(text, pattern, accepts, 1).length > 0) kinds.push(kind);
  }
  if (ibanPlaces(text, 1).length > 0) kinds.push('iban');
  if (phonePlaces(text, 1).length > 0) kinds.push('phone');
  return kinds;
}

/** Every secret in a text, at most 64 of each kind. */
export function secretMatches(text: string): ContentMatch[] {
  return hintedFormats(text).flatMap(({ kind, every, accepts, checksum }) =>
    matchesOf(text, every, accepts, matchesPerKindMax).map((place) => ({
      class: 'secret' as const,
      kind,
      ...place,
      ...(checksum === undefined ? {} : { checksum: checksum(text.slice(place.start, place.end)) }),
    })),
  );
}

/** All personal data in a text, at most 64 of each kind. */
export function piiMatches(text: string): ContentMatch[] {
  const found: ContentMatch[] = [];
  const add = (kind: string, places: readonly { readonly start: number; readonly end: number }[]): void => {
    for (const place of places) found.push({ class: 'pii', kind, ...place });
  };
  add('email', emailPlaces(text, matchesPerKindMax));
  if (!someDigits.test(text)) return found;
  for (const { kind, pattern, accepts } of numbers) add(kind, matchesOf(text, pattern, accepts, matchesPerKindMax));
  add('iban', ibanPlaces(text, matchesPerKindMax));
  add('phone', phonePlaces(text, matchesPerKindMax));
  return found;
}

/** A secret, or personal data that carries its own proof, as it stands in a text. */
export interface SensitiveValue {
  readonly kind: { readonly class: 'secret' | 'pii'; readonly name: string };
  readonly value: string;
}

/** The values themselves, to recognise them elsewhere; at most 64 of each kind. They must not be kept. */
export function secretsIn(text: string): SensitiveValue[] {
  const values = secretMatches(text).map(({ kind, start, end }): SensitiveValue => {
    return { kind: { class: 'secret', name: kind }, value: text.slice(start, end) };
  });
  if (!someDigits.test(text)) return values;
  for (const { kind, pattern, accepts } of numbers) {
    for (const { start, end } of matchesOf(text, pattern, accepts, matchesPerKindMax)) {
      values.push({ kind: { class: 'pii', name: kind }, value: text.slice(start, end).replace(/[ .\u00a0-]/g, '') });
    }
  }
  for (const { start, end } of ibanPlaces(text, matchesPerKindMax)) {
    const value = text.slice(start, end).replace(/[ \u00a0-]/g, '');
    values.push({ kind: { class: 'pii', name: 'iban' }, value: value.toUpperCase() });
  }
  return values;
}

interface EveryFormat extends SecretFormat {
  readonly every: RegExp;
}

const formatsByHint = new Map<string, EveryFormat[]>();
for (const format of secretFormats) {
  const every = { ...format, every: new RegExp(format.pattern, `${format.pattern.flags}g`) };
  for (const hint of format.hints) formatsByHint.set(hint, [...(formatsByHint.get(hint) ?? []), every]);
}
const noFormats: readonly EveryFormat[] = [];
const hints = [...formatsByHint.keys()];
const mayHint = createLiteralFilter(hints);

/**
 * Formats of which a hint stands in the text, in the order of the table; found once for all facts that ask. Most texts have none.
 */
const knownFormats = rememberedByText(findHinted);

function hintedFormats(text: string): readonly EveryFormat[] {
  return mayHint(text) ? knownFormats(text) : noFormats;
}

function findHinted(text: string): readonly EveryFormat[] {
  const found = new Set<EveryFormat>();
  for (const [hint, formats] of formatsByHint) {
    if (!formats.every((format) => found.has(format)) && text.includes(hint))
      for (const each of formats) found.add(each);
  }
  return [...found];
}

function firstMatch(text: string, { every, pattern, accepts }: EveryFormat): boolean {
  return accepts === undefined ? pattern.test(text) : matchesOf(text, every, accepts, 1).length > 0;
}

function matchesOf(
  text: string,
  pattern: RegExp,
  accepts: ((found: string) => boolean) | undefined,
  max: number,
): { start: number; end: number }[] {
  const places: { start: number; end: number }[] = [];
  let tries = triesMax;
  for (const match of text.matchAll(pattern)) {
    if (accepts === undefined || accepts(match[0])) {
      places.push({ start: match.index, end: match.index + match[0].length });
    }
    if (places.length >= max || --tries <= 0) break;
  }
  return places;
}

/** As many digits as the shortest of them has, with what stands between groups, or the beginning of an IBAN. */
const someDigits = /(?:\d[ .()\u00a0-]{0,3}){5}\d|[A-Z]{2}\d{2}/;

/** Numbers that name a person or an account. */
const numbers: readonly {
  readonly kind: string;
  readonly pattern: RegExp;
  readonly accepts?: (found: string) => boolean;
}[] = [
  {
    kind: 'payment_card',
    pattern:
      /(?<![\w.-])(?:[3-6]\d{3}|2[2-7]\d{2})[ .\u00a0-]?\d{4}[ .\u00a0-]?\d{4}[ .\u00a0-]?\d{1,7}(?!\w|[.-]\d)|(?<![\w.-])3[47]\d{2}[ .\u00a0-]\d{6}[ .\u00a0-]\d{5}(?!\w|[.-]\d)/g,
    accepts: isCardNumber,
  },
  {
    kind: 'us_ssn',
    pattern:
      /(?<![\d-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])|(?<=(?<![a-z])(?:ssn|social security(?: number)?)["']?[\s:=#"']{0,4})(?!000|666|9)\d{3}[ .]?(?!00)\d{2}[ .]?(?!0000)\d{4}(?![\d-])/gi,
  },
  { kind: 'br_cpf', pattern: /(?<![\d.-])\d{3}\.\d{3}\.\d{3}-\d{2}(?![\d.-])/g, accepts: isCpf },
  {
    kind: 'fr_nir',
    pattern: /(?<![\w.-])[12] ?\d{2} ?(?:0[1-9]|1[0-2]) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}(?![\w.-])/g,
    accepts: isNir,
  },
  { kind: 'es_dni', pattern: /(?<![\w.-])(?:\d{8}|[XYZ]\d{7})[A-Z](?![\w-])/g, accepts: isDni },
  {
    kind: 'uk_nino',
    pattern:
      /(?<![\w-])(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D](?![\w-])/g,
  },
];
