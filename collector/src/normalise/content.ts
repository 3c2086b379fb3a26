import { findEmails } from './network.ts';

/**
 * Content classes: what kind of sensitive or hidden material stands in a text. Kinds only, never the values.
 *
 * Our patterns run on JavaScript's engine, so each is written to be linear: bounded repetitions of disjoint classes, no
 * nested quantifiers. Cheap literals decide first whether one runs at all.
 */
export function secretKinds(text: string): string[] {
  const kinds: string[] = [];
  for (const secret of secrets) {
    if (secret.hints.some((hint) => text.includes(hint)) && secret.pattern.test(text)) kinds.push(secret.kind);
  }
  return kinds;
}

/** Formats that carry their own proof: fixed prefixes and lengths as the issuers document them. */
const secrets: readonly { kind: string; hints: readonly string[]; pattern: RegExp }[] = [
  { kind: 'aws_access_key', hints: ['AKIA', 'ASIA'], pattern: /(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])/ },
  {
    kind: 'github_token',
    hints: ['gh', 'github_pat_'],
    pattern: /(?<!\w)(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{60,90})/,
  },
  { kind: 'slack_token', hints: ['xox'], pattern: /(?<!\w)xox[abeoprs]-[A-Za-z0-9-]{10,250}/ },
  { kind: 'stripe_key', hints: ['_live_'], pattern: /(?<!\w)[sr]k_live_[A-Za-z0-9]{16,250}/ },
  { kind: 'openai_key', hints: ['sk-'], pattern: /(?<![\w-])sk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{32,250}/ },
  { kind: 'anthropic_key', hints: ['sk-ant-'], pattern: /(?<![\w-])sk-ant-[A-Za-z0-9_-]{24,250}/ },
  { kind: 'google_api_key', hints: ['AIza'], pattern: /(?<!\w)AIza[\w-]{35}(?![\w-])/ },
  { kind: 'npm_token', hints: ['npm_'], pattern: /(?<!\w)npm_[A-Za-z0-9]{36}(?!\w)/ },
  { kind: 'private_key', hints: ['PRIVATE KEY-----'], pattern: /-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY-----/ },
  { kind: 'jwt', hints: ['eyJ'], pattern: /(?<![\w-])eyJ[\w-]{10,2000}\.eyJ[\w-]{10,4000}\.[\w-]{10,1000}/ },
  {
    kind: 'password_assignment',
    hints: ['assw', 'ASSW', 'ecret', 'ECRET', 'api_key', 'API_KEY', 'apiKey', 'oken', 'OKEN'],
    pattern:
      /(?:password|passwd|secret|api_?key|access_?token|auth_?token)["']?\s{0,4}[:=]\s{0,4}["']?(?=[^\s"']{0,64}\d)(?=[^\s"']{0,64}[a-z])[^\s"'<>{}$()]{12,200}/i,
  },
];

/** A secret, or personal data that carries its own proof, as it stands in a text. */
export interface SensitiveValue {
  readonly kind: { readonly class: 'secret' | 'pii'; readonly name: string };
  readonly value: string;
}

/** The values themselves, to recognise them elsewhere; at most 64 of each kind. They must not be kept. */
export function secretsIn(text: string): SensitiveValue[] {
  const values: SensitiveValue[] = [];
  const add = (type: SensitiveValue['kind'], pattern: RegExp, check: (found: string) => boolean = () => true): void => {
    let left = 64;
    for (const [value] of text.matchAll(pattern)) {
      if (--left < 0) return;
      if (check(value)) values.push({ kind: type, value: type.class === 'pii' ? value.replace(/[ -]/g, '') : value });
    }
  };
  for (const [index, { kind: name, hints }] of secrets.entries()) {
    if (hints.some((hint) => text.includes(hint))) add({ class: 'secret', name }, everySecret[index]!);
  }
  if (/\d{4}/.test(text)) {
    add({ class: 'pii', name: 'payment_card' }, cardPattern, (found) => luhn(found.replace(/\D/g, '')));
    add({ class: 'pii', name: 'iban' }, ibanPattern, iban);
    add({ class: 'pii', name: 'us_ssn' }, ssnPattern);
  }
  return values;
}

/** Personal data, with checksums where the kind has one. */
export function piiKinds(text: string): string[] {
  const kinds: string[] = [];
  if (findEmails(text, 1).length > 0) kinds.push('email');
  if (hasMatch(text, cardPattern, (found) => luhn(found.replace(/\D/g, '')))) kinds.push('payment_card');
  if (hasMatch(text, ibanPattern, iban)) kinds.push('iban');
  if (hasMatch(text, ssnPattern, () => true)) kinds.push('us_ssn');
  if (hasMatch(text, phonePattern, phone)) kinds.push('phone');
  return kinds;
}

const everySecret = secrets.map(({ pattern }) => new RegExp(pattern, `${pattern.flags}g`));
const cardPattern = /(?<![\d.-])[3-6]\d{3}[ -]?\d{4}[ -]?\d{4}[ -]?\d{1,7}(?![\d.-]?\d)/g;
const ibanPattern = /(?<![A-Z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Z0-9])/g;
const ssnPattern = /(?<![\d-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])/g;
// International form, or three groups as in North America; bare digit runs are far more often ids.
const phonePattern =
  /(?<![\w+.-])(?:\+\d{1,3}[ .-]?(?:\(?\d{1,4}\)?[ .-]?){2,5}\d{2,4}|\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4})(?![\w-])/g;

function hasMatch(text: string, pattern: RegExp, check: (found: string) => boolean): boolean {
  let tried = 0;
  for (const match of text.matchAll(pattern)) {
    if (check(match[0])) return true;
    if (++tried >= 256) return false;
  }
  return false;
}

function luhn(digits: string): boolean {
  if (digits.length < 13 || digits.length > 19 || /^(\d)\1+$/.test(digits)) return false;
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    const doubled = i % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** ISO 7064 mod 97-10, as ISO 13616 uses it. */
function iban(found: string): boolean {
  const compact = found.replace(/ /g, '');
  if (compact.length < 15 || compact.length > 34) return false;
  let remainder = 0;
  for (const char of compact.slice(4) + compact.slice(0, 4)) {
    const value = char >= 'A' ? char.charCodeAt(0) - 55 : Number(char);
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return remainder === 1;
}

function phone(found: string): boolean {
  const digits = found.replace(/\D/g, '').length;
  return digits >= 9 && digits <= 15;
}

/**
 * Characters that a person does not see and a model reads. Joiners and variation selectors belong to emoji and to many
 * scripts, and bidi marks to Arabic and Hebrew, so only uses that hide something count.
 */
export function hiddenUnicodeKinds(text: string): string[] {
  if (!maybeHidden.test(text)) return [];
  const kinds: string[] = [];
  if (tagCharacters.test(text.replace(flagSequence, ''))) kinds.push('tag');
  if (zeroWidthRun.test(text)) kinds.push('zero_width');
  if (bidiOverride.test(text)) kinds.push('bidi');
  if (variationRun.test(text)) kinds.push('variation_selector');
  return kinds;
}

// biome-ignore lint/suspicious/noMisleadingCharacterClass: single code points are meant, not what they combine to.
const maybeHidden = /[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff\u{e0001}-\u{e01ef}]/u;
const tagCharacters = /[\u{e0001}\u{e0020}-\u{e007f}]/u;
/** 🏴 followed by a short tag run and its end is a regional flag such as Scotland's. */
const flagSequence = /\u{1f3f4}[\u{e0030}-\u{e0039}\u{e0061}-\u{e007a}]{2,6}\u{e007f}/gu;
// biome-ignore lint/suspicious/noMisleadingCharacterClass: single code points are meant, not what they combine to.
const zeroWidthRun = /[\u200b\u200c\u200d\u2060-\u2064\ufeff]{3}|\w[\u200b\u2060-\u2064\ufeff]\w/u;
const bidiOverride = /[\u202d\u202e]/u;
const variationRun = /[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]{2}|[\u{e0100}-\u{e01ef}](?<=[A-Za-z0-9 ].)/u;
