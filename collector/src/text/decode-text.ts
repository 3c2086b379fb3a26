import { isUtf8 } from 'node:buffer';
import { createLiteralFilter } from './literal-filter.ts';
import { TextTrait, type TextTraits, textHasRun } from './traits.ts';

/** What a layer was written in. */
export type Encoding = 'percent' | 'html' | 'escape' | 'tag characters' | 'base64' | 'hex' | 'rot13';

export interface Place {
  readonly start: number;
  readonly end: number;
}

/** How many times over a text is decoded, each time on what came out of the last. */
export const decodeRoundsMax = 3;

/** Told about each piece that was decoded: where it stands after and before. */
type Note = (encoding: Encoding, after: Place, before: Place) => void;

interface Step {
  readonly name: 'escapes' | 'runs' | 'rot13';
  readonly decode: (text: string, note?: Note) => string;
}

/** A decoded form of a text: the whole text with everything decoded that one more step can decode. */
export interface Layer {
  readonly text: string;
  /** The steps from the text to here. */
  readonly steps: readonly Step['name'][];
}

/**
 * The decoded layers of a text, outermost first, none when nothing in it is encoded. Every layer is the whole text with what
 * was encoded replaced in place, so that words around it can be searched with it, and however many encoded pieces there are,
 * none is left out. Decoded are
 *
 * - escapes: `%xx`, HTML character references, `\uXXXX`, `\u{X}` and `\xXX`, tag characters (U+E0020 … U+E007E);
 * - runs: base64 (also its URL alphabet, wrapped lines, UTF-16LE inside) and hex of at least 16 characters which decode to
 *   text: valid UTF-8 without control characters;
 * - rot13, of a text in which at least two common English words stand in rot13.
 *
 * In turn, up to `decodeRoundsMax` times. A layer is never longer than the text, and there are at most eight.
 *
 * @param hints what the caller knows of the text, which spares looking for it
 */
export function decodedLayers(text: string, { traits = unknownTraits, mayTurn = true }: DecodeHints = {}): Layer[] {
  if (!mayTurn && (traits & unknownTraits) === 0) return [];
  const layers: Layer[] = [];
  let last: Layer = { text, steps: [] };
  const advance = (step: Step): void => {
    const decoded = step.decode(last.text);
    if (decoded === last.text) return;
    last = { text: decoded, steps: [...last.steps, step.name] };
    layers.push(last);
  };
  for (let round = 0; round < decodeRoundsMax; round++) {
    const before = last;
    // Layers are other texts, of which nothing is known.
    const known = last.steps.length > 0 ? unknownTraits : traits;
    if ((known & TextTrait.escape) !== 0 && escapeHint.test(last.text)) advance(escapes);
    const mayRun = (known & TextTrait.run) !== 0 || last !== before;
    if (mayRun && textHasRun(last.text)) advance(runs);
    if (last === before) break;
  }
  for (const layer of [...(mayTurn ? [{ text, steps: [] }] : []), ...(last.steps.length > 0 ? [last] : [])]) {
    const turned = rot13(layer.text);
    if (turned !== layer.text) layers.push({ text: turned, steps: [...layer.steps, 'rot13'] });
  }
  return layers;
}

/** What a caller may know of a text. */
export interface DecodeHints {
  /** As `traitOf` gives them, of all its characters. */
  readonly traits?: TextTraits;
  /** False when none of `rot13Words` stands in it. */
  readonly mayTurn?: boolean;
}

/** A piece of a text that is encoded: where it stands in the text, and in what, the outermost first. */
export interface EncodedPiece {
  readonly place: Place;
  readonly encodings: readonly Encoding[];
}

/**
 * The encoded pieces of a text, pieces inside pieces as well, at most `max`. It looks at what `decodedLayers` looks at, and costs
 * about `max` times as much when there are that many pieces.
 * @param layers what `decodedLayers` gives of the text, when that is known
 */
export function encodedPieces(text: string, layers: readonly Layer[] = decodedLayers(text), max = 16): EncodedPiece[] {
  const pieces: EncodedPiece[] = [];
  let before: Layer = { text, steps: [] };
  for (const layer of layers) {
    const last = layer.steps.at(-1)!;
    if (last === 'rot13') before = { text: textAfter(text, layer.steps.slice(0, -1)), steps: layer.steps.slice(0, -1) };
    steps[last].decode(before.text, (encoding, _after, source) => {
      if (pieces.length >= max) return;
      const { place, encodings } = originOf(text, before, source);
      pieces.push({ place, encodings: encodings.at(-1) === encoding ? encodings : [...encodings, encoding] });
    });
    before = layer;
  }
  return pieces;
}

/** The encodings that stand in a text, at any depth that is decoded, when these are its decoded layers. */
export function encodedKinds(text: string, layers: readonly Layer[]): Encoding[] {
  const kinds = new Set<Encoding>();
  let before = text;
  for (const layer of layers) {
    const last = layer.steps.at(-1)!;
    if (last === 'rot13') kinds.add('rot13');
    else steps[last].decode(before, (encoding) => kinds.add(encoding));
    before = layer.text;
  }
  return [...kinds];
}

function textAfter(text: string, names: readonly Step['name'][]): string {
  return names.reduce((current, name) => steps[name].decode(current), text);
}

/** A cheap look that spares most texts the pattern. */
const escapeHint = /%[0-9a-f]{2}|&[#a-z]|\\[ux]|\udb40/i;
const unknownTraits = TextTrait.escape | TextTrait.run;

/** Where a range of a layer comes from: its place in the text, and the encodings on the way, the outermost first. */
export function originOf(
  text: string,
  layer: Layer,
  range: Place,
): { readonly place: Place; readonly encodings: readonly Encoding[] } {
  const texts = [text];
  for (const name of layer.steps) texts.push(steps[name].decode(texts.at(-1)!));
  let place = range;
  const encodings: Encoding[] = [];
  for (let i = layer.steps.length - 1; i >= 0; i--) {
    const back = traceBack(steps[layer.steps[i]!], texts[i]!, place);
    place = back.place;
    encodings.unshift(...back.encodings);
  }
  return { place, encodings: encodings.filter((each, i) => each !== encodings[i - 1]) };
}

function traceBack(step: Step, before: string, wanted: Place): { place: Place; encodings: Encoding[] } {
  // Between decoded pieces a place moves by as much as the pieces before it became shorter.
  let [startShift, endShift] = [0, 0];
  let [start, end] = [-1, -1];
  const encodings = new Set<Encoding>();
  step.decode(before, (encoding, after, source) => {
    if (after.end <= wanted.start) startShift = source.end - after.end;
    else if (after.start <= wanted.start) start = source.start;
    if (after.end <= wanted.end) endShift = source.end - after.end;
    if (after.start < wanted.end && after.end >= wanted.end) end = source.end;
    if (after.start < wanted.end && after.end > wanted.start) encodings.add(encoding);
  });
  if (start < 0) start = wanted.start + startShift;
  if (end < 0) end = wanted.end + endShift;
  return { place: { start, end }, encodings: [...encodings] };
}

const escapes: Step = {
  name: 'escapes',
  decode: (text, note) => replaced(text, escapePattern, readEscape, note),
};
const runs: Step = { name: 'runs', decode: (text, note) => replaced(text, runPattern, readRun, note) };
const turned: Step = {
  name: 'rot13',
  decode: (text, note) => {
    note?.('rot13', { start: 0, end: text.length }, { start: 0, end: text.length });
    return rot13(text);
  },
};
const steps: Readonly<Record<Step['name'], Step>> = { escapes, runs, rot13: turned };

type Read = (found: string) => readonly [Encoding, string] | undefined;

function replaced(text: string, pattern: RegExp, read: Read, note?: Note): string {
  let out = '';
  let at = 0;
  for (const match of text.matchAll(pattern)) {
    const result = read(match[0]);
    if (result === undefined) continue;
    const [encoding, decoded] = result;
    out += text.slice(at, match.index);
    const end = match.index + match[0].length;
    note?.(encoding, { start: out.length, end: out.length + decoded.length }, { start: match.index, end });
    out += decoded;
    at = end;
  }
  return at === 0 ? text : out + text.slice(at);
}

const escapePattern =
  /(?:%[0-9a-f]{2})+|&(?:#\d{2,7};?|#x[0-9a-f]{2,6};?|[a-z]{2,6};)|(?:\\u[0-9a-f]{4}|\\u\{[0-9a-f]{1,6}\}|\\x[0-9a-f]{2})+|(?:\udb40[\udc20-\udc7e])+/gi;

function readEscape(found: string): readonly [Encoding, string] | undefined {
  if (found.startsWith('%')) {
    const bytes = Buffer.from(found.replaceAll('%', ''), 'hex');
    return isUtf8(bytes) ? ['percent', bytes.toString('utf8')] : undefined;
  }
  if (found.startsWith('&')) {
    // Browsers read numbers without the semicolon, too.
    const text = characterOf(found.slice(1).replace(';', '').toLowerCase());
    return text === undefined ? undefined : ['html', text];
  }
  if (found.startsWith('\\')) {
    const text = found.replace(/\\u\{(\w+)\}|\\[ux](\w{2,4}?)(?=\\|$)/gi, (_, long: string, short: string) =>
      codePoint(Number.parseInt(long ?? short, 16)),
    );
    return ['escape', text];
  }
  return ['tag characters', [...found].map((char) => String.fromCharCode(char.codePointAt(0)! - 0xe0000)).join('')];
}

/** The named references of HTML for ASCII characters that attackers and pages write, and the non-breaking space. */
const named: ReadonlyMap<string, string> = new Map([
  ...Object.entries({ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ', tab: '\t', colon: ':', semi: ';' }),
  ...Object.entries({ comma: ',', period: '.', excl: '!', quest: '?', lpar: '(', rpar: ')', lsqb: '[', rsqb: ']' }),
  ...Object.entries({ lcub: '{', rcub: '}', sol: '/', bsol: '\\', equals: '=', num: '#', dollar: '$', percnt: '%' }),
  ...Object.entries({ plus: '+', lowbar: '_', hyphen: '-', dash: '-', grave: '`', vert: '|', ast: '*', hat: '^' }),
]);

function characterOf(reference: string): string | undefined {
  if (!reference.startsWith('#')) return named.get(reference);
  const hex = reference[1] === 'x';
  return codePoint(Number.parseInt(reference.slice(hex ? 2 : 1), hex ? 16 : 10));
}

function codePoint(code: number): string {
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd';
}

/** Hex in pairs with single separators, else a long word of base64 or hex, wrapped or not. */
const runPattern = /\b[0-9a-f]{2}(?:[ :,][0-9a-f]{2}){7,}\b|[A-Za-z0-9+/_-]{16,}(?:\r?\n[A-Za-z0-9+/_-]{4,})*={0,2}/g;

function readRun(found: string): readonly [Encoding, string] | undefined {
  const digits = found.replace(/^0x|[\s:,]/g, '');
  if (digits.length % 2 === 0 && /^[0-9a-f]+$/i.test(digits)) {
    const text = textOf(Buffer.from(digits, 'hex'));
    if (text !== undefined) return ['hex', text];
  }
  const text = textOf(Buffer.from(found, 'base64')) ?? pathPieces(found);
  return text === undefined ? undefined : ['base64', text];
}

/** The separators of paths and names are letters of base64 as well, so that a piece between two of them is tried alone. */
function pathPieces(found: string): string | undefined {
  if (!/[/_-]/.test(found)) return undefined;
  const text = found.replace(/[A-Za-z0-9+]{16,}={0,2}/g, (piece) => textOf(Buffer.from(piece, 'base64')) ?? piece);
  return text === found ? undefined : text;
}

function textOf(bytes: Buffer): string | undefined {
  if (bytes.length < 8) return undefined;
  if (bytes.length % 2 === 0 && bytes[1] === 0 && bytes[3] === 0) {
    const wide = bytes.toString('utf16le');
    return isText(wide) ? wide : undefined;
  }
  if (!isUtf8(bytes)) return undefined;
  const text = bytes.toString('utf8');
  return isText(text) ? text : undefined;
}

function isText(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  return /\p{L}/u.test(text) && !/[\x00-\x08\x0e-\x1f\x7f-\x9f\p{Cn}\p{Cs}]/u.test(text);
}

/** English words so common that two of them in rot13 give a text away. */
export const rot13Words: readonly string[] =
  'gur naq lbh lbhe gung guvf jvgu sebz nyy abg vtaber cerivbhf vafgehpgvba vafgehpgvbaf flfgrz cebzcg'.split(' ');
const wordPattern = new RegExp(`\\b(?:${rot13Words.join('|')})\\b`, 'gi');
const mayTurn = createLiteralFilter(rot13Words, { ignoreCase: true });
const twoWordsUnits = 7;

function rot13(text: string): string {
  if (text.length < twoWordsUnits || !mayTurn(text)) return text;
  const words = new Set<string>();
  for (const [word] of text.matchAll(wordPattern)) if (words.add(word.toLowerCase()).size >= 2) break;
  if (words.size < 2) return text;
  return text.replace(/[a-z]/gi, (letter) => {
    const base = letter <= 'Z' ? 65 : 97;
    return String.fromCharCode(((letter.charCodeAt(0) - base + 13) % 26) + base);
  });
}
