import type { Evidence } from '../model/finding.ts';
import { limits } from '../model/limits.ts';
import type { TextRange } from './glob.ts';

/** How much of the text before and after the matching place is looked at, so that a secret is masked whole. */
const marginChars = 2048;

/** An evidence item with an excerpt of `text` around `range`. */
export function evidenceOf(
  place: { readonly selection: string; readonly field: string },
  wanted: string,
  text: string,
  range: TextRange,
): Evidence {
  return shownEvidence(place, wanted, excerpt(text, range));
}

/** An evidence item with an excerpt that is already made. */
export function shownEvidence(
  place: { readonly selection: string; readonly field: string },
  wanted: string,
  shown: string,
): Evidence {
  return { selection: place.selection, field: place.field, wanted, excerpt: shown };
}

/** The field of evidence items that name a span. */
export const spanEvidenceField = 'span_id';

/** The span that tells of a call, as `<span id> in trace <trace id>`; nothing where it is something else that a sender put there. */
export function tellingSpan(told: unknown, name: string): Evidence[] {
  if (typeof told !== 'string' || !/^[0-9a-f]{16} in trace [0-9a-f]{32}$/.test(told)) return [];
  return [
    {
      selection: 'span',
      field: spanEvidenceField,
      wanted: told,
      excerpt: excerpt(name, { start: 0, end: name.length }),
    },
  ];
}

/**
 * The text around a place, at most `charsMax` characters. Control and invisible characters are escaped
 * and secrets lose their middle: evidence must not become a second copy of a secret.
 */
export function excerpt(text: string, range: TextRange, charsMax: number = limits.evidenceCharsMax): string {
  const room = charsMax - 2;
  const length = Math.min(range.end - range.start, room);
  const before = Math.floor((room - length) / 2);
  const from = Math.max(0, Math.min(range.start - before, text.length - room));
  const to = Math.min(text.length, from + room);
  const base = Math.max(0, from - marginChars);
  const slice = text.slice(base, to + marginChars);
  const shown = maskedBetween(slice, from - base, to - base);
  const open = from > 0 ? '…' : '';
  const close = to < text.length ? '…' : '';
  return cut(`${open}${escapeHidden(shown)}${close}`, charsMax);
}

/** Runs that look like keys: long, of one piece, letters and digits mixed. UUIDs name things and are left. */
const tokenLike = /[A-Za-z0-9_+=-]{20,}|[A-Za-z0-9+/]{40,}={0,2}|\b\d(?:[ -]?\d){12,18}\b/g;
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** What follows a word such as `password=` is a secret however short it is. */
const named =
  /((?:pass(?:word|wd|phrase)?|secret|token|api[_-]?key|access[_-]?key|bearer|authorization|credential)s?["']?\s*(?:[:=]\s*|\s)["']?(?:(?:bearer|basic|token)\s+)?)([^\s"'&,;<>]{4,200})/gi;

function maskedBetween(text: string, from: number, to: number): string {
  const masks: { start: number; end: number }[] = [];
  for (const match of text.matchAll(tokenLike)) {
    const run = match[0];
    if (isSecretRun(run)) masks.push({ start: match.index, end: match.index + run.length });
  }
  for (const match of text.matchAll(named)) {
    const value = match[2]!;
    if (!/\d/.test(value) && !/[:=]/.test(match[1]!)) continue;
    const start = match.index + match[1]!.length;
    masks.push({ start, end: start + value.length });
  }
  masks.sort((a, b) => a.start - b.start);
  let shown = '';
  let at = from;
  for (const { start, end } of masks) {
    if (end <= at || start >= to) continue;
    shown += text.slice(at, Math.max(at, start)) + mask(text.slice(start, end));
    at = end;
  }
  return at < to ? shown + text.slice(at, to) : shown;
}

function isSecretRun(run: string): boolean {
  if (/^[\d -]+$/.test(run)) return true;
  return !uuid.test(run) && /\d/.test(run) && /[A-Za-z]/.test(run);
}

/** The ends tell people which secret it is; a short one shows nothing. */
function mask(secret: string): string {
  return secret.length < 12 ? '****' : `${secret.slice(0, 4)}****${secret.slice(-2)}`;
}

function escapeHidden(text: string): string {
  return text.replace(/\p{Cc}|\p{Cf}|\p{Cs}|\u2028|\u2029|\p{Variation_Selector}|[\u{e0000}-\u{e0fff}]/gu, (char) => {
    if (char === '\n') return '\\n';
    if (char === '\t') return '\\t';
    return char === '\r' ? '\\r' : `\\u{${char.codePointAt(0)!.toString(16)}}`;
  });
}

function cut(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text;
  const end = charsMax - 1;
  const code = text.charCodeAt(end - 1);
  return `${text.slice(0, code >= 0xd800 && code <= 0xdbff ? end - 1 : end)}…`;
}
