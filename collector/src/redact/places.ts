import { piiMatches } from '../normalise/content.ts';
import { addressPlaces } from '../normalise/network.ts';
import { secretContexts } from '../normalise/secret-contexts.ts';
import type { SecretFormat } from '../normalise/secret-format.ts';
import { secretFormats } from '../normalise/secret-formats.ts';
import { createLiteralFilter, type LiteralFilter } from '../text/literal-filter.ts';
import { encodedBytesMin, inDecoded } from './encoded-runs.ts';
import type { Hint } from './hint-scanner.ts';
import { mayHoldNumbers } from './pii-hints.ts';

/** What must not be stored, by place. Places do not overlap and are in ascending order. */
export interface SensitivePlace {
  readonly class: 'secret' | 'pii';
  readonly kind: string;
  readonly start: number;
  readonly end: number;
  /** What equals it has the same placeholder; by default the text that stands there. */
  readonly same?: string;
}

/**
 * Every secret in a text, however many, and the personal data if `pii`. The text is one without escapes.
 * @param mayBeEncoded false where it is known that no base64 or hex in it says one
 */
export function sensitivePlaces(text: string, pii: boolean, mayBeEncoded = true): readonly SensitivePlace[] {
  let claimed = secretPlaces(text);
  if (mayBeEncoded) claimed = withUnclaimed(claimed, encodedPlaces(text));
  return pii ? withUnclaimed(claimed, piiPlaces(text)) : claimed;
}

/** Literals of which one stands in every text with a secret. */
export const secretHints: readonly Hint[] = hintsOf(secretFormats);

/** What is certain comes first: an assignment keeps only what is left of its value. */
function secretPlaces(text: string): readonly SensitivePlace[] {
  let claimed: readonly SensitivePlace[] = [];
  for (const { formats, mayHint } of levels) {
    if (!mayHint(text)) continue;
    const found: Ranked[] = [];
    for (const each of formats) {
      if (!each.hints.some((hint) => text.includes(hint))) continue;
      for (const match of text.matchAll(each.every)) {
        if (each.accepts !== undefined && !each.accepts(match[0])) continue;
        const place = placeOf(each, text, match.index, match[0]);
        if (place !== undefined) found.push({ ...place, rank: each.rank });
      }
    }
    claimed = withUnclaimed(claimed, apart(found));
  }
  return claimed;
}

interface Format extends SecretFormat {
  readonly every: RegExp;
  /** Of two formats for the same characters the one with the longer hint says more. */
  readonly rank: number;
}

interface Ranked extends SensitivePlace {
  readonly rank: number;
}

const contexts = new Set(secretContexts.map(({ kind }) => kind));
const levels = [
  formatsWhere((kind) => !contexts.has(kind)),
  formatsWhere((kind) => kind === 'url_credentials'),
  formatsWhere((kind) => contexts.has(kind) && kind !== 'url_credentials' && !isAssignment(kind)),
  formatsWhere((kind) => kind === 'key_assignment'),
  formatsWhere((kind) => isAssignment(kind) && kind !== 'key_assignment'),
];
const encodedRun = new RegExp(`[A-Za-z0-9+/_-]{${encodedBytesMin}}`);
const encodedRuns = new RegExp(`[A-Za-z0-9+/_-]{${encodedBytesMin},}={0,2}`, 'g');

interface Level {
  readonly formats: readonly Format[];
  readonly mayHint: LiteralFilter;
}

function formatsWhere(accepts: (kind: string) => boolean): Level {
  const formats = secretFormats
    .filter(({ kind }) => accepts(kind))
    .map((format) => ({
      ...format,
      every: new RegExp(format.pattern, `${format.pattern.flags.replace('g', '')}g`),
      rank: Math.max(...format.hints.map(({ length }) => length)),
    }));
  return { formats, mayHint: createLiteralFilter(formats.flatMap(({ hints }) => hints)) };
}

function isAssignment(kind: string): boolean {
  return kind.endsWith('_assignment');
}

function hintsOf(formats: readonly SecretFormat[]): Hint[] {
  const kinds = new Map<string, string[]>();
  for (const { kind, hints } of formats) for (const hint of hints) kinds.set(hint, [...(kinds.get(hint) ?? []), kind]);
  return [...kinds].flatMap(([text, all]): Hint[] => {
    if (all.every((kind) => kind === 'cookie')) return [{ text, behind: 'cookie' }];
    if (all.every(isAssignment)) return [{ text, behind: /assw|assphrase/i.test(text) ? 'password' : 'assignment' }];
    if (!all.every((kind) => kind === 'url_credentials')) return [{ text }];
    // Slashes are escaped by some writers of JSON, and the escapes by the next.
    const escaped = [1, 2, 3, 4].map((count): Hint => ({ text: `:${'\\'.repeat(count)}/`, behind: 'credentials' }));
    return [{ text, behind: 'credentials' }, ...escaped];
  });
}

/** The secret itself: names of variables, users and hosts may stay. */
function placeOf({ kind, secretAt }: Format, text: string, index: number, found: string): SensitivePlace | undefined {
  const whole = { class: 'secret', kind, start: index, end: index + found.length } as const;
  if (isAssignment(kind)) {
    const [before = '', quotedName = '', quote = ''] = /^[^:=]*?(["']?)\s*[:=]\s*(["']?)/.exec(found) ?? [];
    // A value without quotes behind a name in quotes is a number or a list of JSON.
    if (quotedName !== '' && quote === '') return undefined;
    return { ...whole, start: index + before.length };
  }
  if (secretAt !== undefined) {
    const end = kind === 'url_credentials' ? index + found.lastIndexOf('@') : whole.end;
    return { ...whole, start: index + secretAt(found), end };
  }
  if (kind !== 'private_key') return whole;
  keyBody.lastIndex = whole.end;
  const body = keyBody.exec(text);
  return { ...whole, end: body === null ? whole.end : whole.end + body[0].length };
}

/**
 * What follows the first line of a key: headers, lines of base64, and the last line; without that, long lines only. No quotes,
 * so that JSON around it stays JSON.
 */
const keyBody =
  /\s{0,4}(?:(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset): ?[^\n:"]{0,80}\s{1,4}){0,4}(?:[A-Za-z0-9+/=\s]{0,16384}-----END [A-Z0-9 ]{1,60}-----|(?:[A-Za-z0-9+/=]{32,2048}\s{0,4}){1,500}(?:[A-Za-z0-9+/=]{1,80})?)/y;

/** Of places that overlap the first stays, and of those that begin together the longest; a rest is cut off from what was there. */
function apart(found: readonly Ranked[]): SensitivePlace[] {
  const sorted = [...found].sort((a, b) => a.start - b.start || b.end - a.end || b.rank - a.rank);
  const places: SensitivePlace[] = [];
  let end = 0;
  for (const { rank: _rank, ...place } of sorted) {
    if (place.end <= end) continue;
    places.push(place.start < end ? { ...place, start: end } : place);
    end = place.end;
  }
  return places;
}

/** `added` as far as its characters are not claimed yet; a rest of a few characters says nothing and is left. */
function withUnclaimed(
  claimed: readonly SensitivePlace[],
  added: readonly SensitivePlace[],
): readonly SensitivePlace[] {
  if (claimed.length === 0 || added.length === 0) return claimed.length === 0 ? added : claimed;
  const places: SensitivePlace[] = [...claimed];
  let next = 0;
  for (const place of added) {
    while (next < claimed.length && claimed[next]!.end <= place.start) next++;
    let at = place.start;
    let cut = false;
    for (let index = next; index < claimed.length && claimed[index]!.start < place.end; index++) {
      cut = true;
      if (claimed[index]!.start - at >= restCharsMin) places.push({ ...place, start: at, end: claimed[index]!.start });
      at = Math.max(at, claimed[index]!.end);
    }
    if (!cut || place.end - at >= restCharsMin) places.push({ ...place, start: at });
  }
  return places.sort((a, b) => a.start - b.start);
}

const restCharsMin = 4;

/** Runs of base64 and hex that say a secret. */
function encodedPlaces(text: string): readonly SensitivePlace[] {
  if (!encodedRun.test(text)) return [];
  const places: SensitivePlace[] = [];
  let before = 0;
  for (const { index: start, 0: line } of text.matchAll(encodedRuns)) {
    if (start < before) continue;
    const run = withNextLines(text, start, line);
    before = start + run.length;
    const found = inDecoded(run.replace(/[\s=]/g, ''), (decoded) => {
      const inner = secretPlaces(decoded);
      return inner.length === 0 ? undefined : { inner, decoded };
    });
    if (found === undefined) continue;
    const { kind, start: from, end } = found.inner[0]!;
    const whole = found.inner.length === 1 && from === 0 && end === found.decoded.length;
    places.push({
      class: 'secret',
      kind: whole ? kind : `${/^[0-9a-f]+$/i.test(run) ? 'hex' : 'base64'}_${kind}`,
      start,
      end: start + run.length,
      ...(whole && { same: found.decoded }),
    });
  }
  return places;
}

/** Lines of one length, as mail and PEM have them, are one run. */
function withNextLines(text: string, start: number, line: string): string {
  if (line.length < 60 || line.length > 76) return line;
  let end = start + line.length;
  for (let lines = 0; lines < 1024; lines++) {
    nextLine.lastIndex = end;
    const next = nextLine.exec(text);
    if (next === null) break;
    end = nextLine.lastIndex;
    if (next[1]!.length !== line.length) break;
  }
  return text.slice(start, end);
}

const nextLine = /\r?\n([A-Za-z0-9+/]{4,76}={0,2})(?![A-Za-z0-9+/])/y;

const windowChars = 640;
const overlapChars = 192;
/** As many matches of one kind as `piiMatches` gives for a text. */
const matchesPerKindMax = 64;

/** `piiMatches` looks at so many candidates of a text; short pieces that overlap have no more. */
function piiPlaces(text: string): readonly SensitivePlace[] {
  if (!/[@\d]/.test(text)) return [];
  const found: Ranked[] = Array.from(addressPlaces(text), ({ start, end }) => {
    return { class: 'pii', kind: 'email', start, end, same: text.slice(start, end).toLowerCase(), rank: 0 };
  });
  if (!mayHoldNumbers(text)) return apart(found);
  for (let from = 0; from < text.length; from += windowChars - overlapChars) {
    addPii(found, text, from, Math.min(text.length, from + windowChars));
    if (from + windowChars >= text.length) break;
  }
  return apart(found);
}

function addPii(found: Ranked[], text: string, from: number, to: number): void {
  const piece = text.slice(from, to);
  if (!mayHoldNumbers(piece)) return;
  const matches = piiMatches(piece).filter(({ kind }) => kind !== 'email');
  if (matches.length >= matchesPerKindMax && to - from > overlapChars) {
    const middle = from + ((to - from) >> 1);
    addPii(found, text, from, Math.min(to, middle + (overlapChars >> 1)));
    addPii(found, text, Math.max(from, middle - (overlapChars >> 1)), to);
    return;
  }
  for (const { kind, start, end } of matches) {
    // What begins where the piece begins may be the tail of something that the piece before has whole.
    if (start === 0 && from > 0) continue;
    const same = text.slice(from + start, from + end).replace(/[\s().-]/g, '');
    found.push({ class: 'pii', kind, start: from + start, end: from + end, same, rank: 0 });
  }
}
