import { hash } from 'node:crypto';
import type { Weigh } from '../model/grown-list.ts';
import type { Value } from '../model/value.ts';
import { secretsIn } from './content.ts';
import { layersOf } from './decoded-layers.ts';
import { type EffectKind, effectKinds, nameWords, sinkKinds } from './effects.ts';
import { textsIn } from './json-value.ts';
import { findEmails, findUrls, urlHost } from './network.ts';
import { fingerprintDigits, fingerprints } from './shingles.ts';

/**
 * Values that identify something, by which content can be traced from the span that brought it in to the span that uses it.
 * A fact holds them as items of one line, without a copy of the value:
 *
 * `<role> <when> <label> <kind> <hash> <shown>`
 *
 * - role: `source`, `trusted` (user, operator, or what a person approved) or `used` (arguments of a call), `:decoded` behind it
 *   where the value stands in encoded text;
 * - when: `start` or `end`, the end of the span at which the value is known to be there;
 * - label: of a source its class, of trusted content who said it, of used values the effects of the call, `-` for none;
 * - hash: 16 hex digits of SHA-256 over kind and value; of words several, separated by commas;
 * - shown: for people, with the middle left out.
 */
export type ProvenanceItem = string;

/** A text, what brought it in, and when. */
export interface Content {
  readonly text: string;
  readonly role: 'source' | 'trusted' | 'used';
  readonly when: 'start' | 'end';
  readonly label: string;
  /** What was found in it, where it comes again with the next call. */
  readonly kept?: KeptItems;
}

export interface KeptItems {
  readonly items: Partial<Record<Way, readonly ProvenanceItem[]>>;
  readonly weigh: Weigh;
}

/** How content is looked at: as it stands, after decoding, by runs of words, or for ids of any kind. */
export type Way = 'value' | 'decoded' | 'words' | 'ids';

const itemsMax = 1024;
const none: readonly never[] = [];
/** Hashes of runs of words in one item, so that an item stays one line of ordinary length. */
const hashesPerItem = 8;
const wordsCharsPerItem = hashesPerItem * (fingerprintDigits + 1);

export function provenanceItems(contents: readonly Content[], way: Way): readonly ProvenanceItem[] {
  let items: Set<string> | undefined;
  for (const content of contents) {
    for (const item of itemsOf(content, way)) {
      items ??= new Set();
      if (items.size >= itemsMax) return [...items];
      items.add(item);
    }
  }
  return items === undefined ? none : [...items];
}

function itemsOf(content: Content, way: Way): readonly ProvenanceItem[] {
  const known = content.kept?.items[way];
  if (known !== undefined) return known;
  const role = way === 'decoded' ? `${content.role}:decoded` : content.role;
  const head = `${role} ${content.when} ${content.label}`;
  const found = foundIn(content.text, way);
  const items =
    found.length === 0 ? none : found.map(({ kind, hashes, shown }) => `${head} ${kind} ${hashes} ${shown}`);
  if (content.kept !== undefined) {
    content.kept.items[way] = items;
    content.kept.weigh(items.reduce((sum, item) => sum + itemBytes + item.length, 0));
  }
  return items;
}

/** What an item takes beside its characters. */
const itemBytes = 32;

/**
 * What a tool's result is: `untrusted` when others may have written it (web, mail, documents, anything unknown), `internal`
 * when its name says that it looks up the user's own records.
 */
export function sourceClass(tool: string): 'untrusted' | 'internal' {
  const words = nameWords(tool);
  if (words.some((word) => writtenByOthers.has(word))) return 'untrusted';
  return words.some((word) => ownRecords.has(word)) ? 'internal' : 'untrusted';
}

/** The effects of a call as a label; `-` when it has none that matter. */
export function usedLabel(tool: string, args: Value): string {
  const effects: EffectKind[] = effectKinds(tool, args).filter((effect) => sinkKinds.has(effect));
  return effects.length === 0 ? '-' : effects.join('+');
}

/** A tool by which a person is asked to approve, by the words of its name. */
export function asksApproval(tool: string): boolean {
  return nameWords(tool).some((word) => approvalWords.has(word));
}

/** Whether the answer of such a tool is a yes: anything that does not say no. */
export function isApproval(result: readonly string[]): boolean {
  return result.length > 0 && !result.some((text) => refusal.test(text.slice(0, 2000)));
}

export function contentsOf(texts: readonly string[], content: Omit<Content, 'text'>): Content[] {
  return texts.map((text) => ({ ...content, text }));
}

/** The texts inside arguments, as used values of a call. */
export function usedContents(tool: string, args: Value, when: Content['when']): Content[] {
  return contentsOf(textsIn(args), { role: 'used', when, label: usedLabel(tool, args) });
}

const writtenByOthers = new Set(
  'web webpage page browse browser url http email emails mail message messages inbox review reviews comment comments issue issues post posts tweet article document documents file files pdf note notes ticket chat thread invoice bill'.split(
    ' ',
  ),
);
const ownRecords = new Set(
  'contact contacts directory addressbook profile account accounts balance iban employee employees user users settings preferences'.split(
    ' ',
  ),
);
const approvalWords = new Set('approve approval approvals confirm confirmation authorize authorise consent'.split(' '));
const refusal =
  /\b(?:denied|deny|reject(?:ed)?|refused?|declined?|not approved|disapproved?|false|no|abort(?:ed)?|time[d ]?out)\b/i;

interface Found {
  readonly kind: string;
  readonly hashes: string;
  readonly shown: string;
}

/**
 * What was found in texts of late. The same text comes again and again: a result as tool span and as message, the words of the user
 * and the operator with every call.
 */
const remembered = new Map<string, Partial<Record<Way, readonly Found[]>>>();
let rememberedChars = 0;
/** Shorter ones are looked through as soon as they are found. */
const rememberedTextCharsMin = 24;
const rememberedTextCharsMax = 65_536;
const rememberedCharsMax = 2_000_000;

function foundIn(text: string, way: Way): readonly Found[] {
  if (text.length < rememberedTextCharsMin || text.length > rememberedTextCharsMax) return findings[way](text);
  let known = remembered.get(text);
  if (known === undefined) {
    rememberedChars += text.length + 64;
    if (rememberedChars > rememberedCharsMax) {
      remembered.clear();
      rememberedChars = text.length + 64;
    }
    known = {};
    remembered.set(text, known);
  }
  known[way] ??= findings[way](text);
  return known[way];
}

const findings: Readonly<Record<Way, (text: string) => readonly Found[]>> = {
  value: valuesIn,
  decoded: (text) => {
    if (text.length < 16) return [];
    const layers = layersOf(text);
    if (layers.length === 0) return [];
    const plain = new Set(foundIn(text, 'value').map(({ hashes }) => hashes));
    return layers.flatMap((layer) => valuesIn(layer.text)).filter(({ hashes }) => !plain.has(hashes));
  },
  words: (text) => {
    const all = fingerprints(text);
    return Array.from({ length: Math.ceil(all.length / wordsCharsPerItem) }, (_, index) => ({
      kind: 'words',
      hashes: all.slice(index * wordsCharsPerItem, (index + 1) * wordsCharsPerItem - 1),
      shown: '-',
    }));
  },
  ids: (text) =>
    someDigit.test(text) ? [...text.matchAll(idPattern)].map(([id]) => found('id', id.toLowerCase(), ends(id))) : [],
};

const someDigit = /\d/;
/** Ids: words with a digit; words without one say nothing about where they come from. */
const idPattern = /(?<![\w.#-])(?=[a-z_.#-]{0,24}\d)[a-z0-9][\w.#-]{3,63}(?![\w-])/gi;

function valuesIn(text: string): Found[] {
  const values: Found[] = [];
  for (const url of findUrls(text, itemsMax)) {
    const host = urlHost(url);
    const shown = host === undefined ? '-' : `${url.slice(0, url.indexOf('://'))}://${host}/…`;
    values.push(found('url', url.toLowerCase().replace(/\/$/, ''), shown));
    if (host !== undefined) values.push(found('host', host, host));
  }
  for (const email of findEmails(text, itemsMax))
    values.push(found('email', email, email.replace(/^(.).*@/, '$1***@')));
  for (const host of bareHosts(text)) values.push(found('host', host, host));
  if (accountStart.test(text)) for (const account of accountsIn(text)) values.push(account);
  for (const { kind, value } of secretsIn(text)) values.push(found(kind.class, value, kind.name));
  return values;
}

function accountsIn(text: string): Found[] {
  const accounts = Array.from(text.matchAll(accountPattern), ([account]) => account.replaceAll(' ', ''));
  return accounts.filter((each) => /\d{6}/.test(each)).map((each) => found('account', each, ends(each)));
}

const accountStart = /[A-Z]{2}\d{2}/;
/** IBANs and accounts written like one, also in groups of four. */
const accountPattern =
  /(?<![A-Z0-9])[A-Z]{2}\d{2}(?:[A-Z0-9]{11,30}|(?: [A-Z0-9]{4}){2,7}(?: [A-Z0-9]{1,3})?)(?![A-Z0-9])/g;

/** Host names that stand in a text without a scheme. Dots are rare, so the text is looked at around each of them. */
function bareHosts(text: string): string[] {
  const hosts: string[] = [];
  for (let dot = text.indexOf('.'); dot >= 0 && hosts.length < itemsMax; ) {
    let [start, end] = [dot, dot + 1];
    while (start > 0 && dot - start < 253 && isHostChar(text.charCodeAt(start - 1))) start--;
    while (end < text.length && end - dot < 253 && isHostChar(text.charCodeAt(end))) end++;
    const before = text[start - 1];
    const name = text
      .slice(start, end)
      .replace(/[.-]+$/, '')
      .toLowerCase();
    if (before !== '@' && before !== '/' && text[end] !== '@' && hostPattern.test(name) && !fileName.test(name)) {
      hosts.push(name);
    }
    dot = text.indexOf('.', end);
  }
  return hosts;
}

function isHostChar(code: number): boolean {
  return (
    (code >= 97 && code <= 122) ||
    (code >= 65 && code <= 90) ||
    (code >= 48 && code <= 57) ||
    code === 45 ||
    code === 46
  );
}

const hostPattern = /^(?:[a-z0-9][a-z0-9-]{0,62}\.){1,6}[a-z]{2,24}$/;
const fileName =
  /\.(?:py|md|sh|js|ts|tsx|jsx|json|html?|txt|pdf|csv|ya?ml|xml|png|jpe?g|gif|svg|zip|gz|tar|log|cfg|ini|conf|toml|rs|go|java|c|h|cpp|rb|pl|php|css|docx?|xlsx?|pptx?|lock|sql|ipynb|exe|dll|so)$/;

function found(kind: string, value: string, shown: string): Found {
  return { kind, hashes: hash('sha256', `${kind}\0${value}`, 'hex').slice(0, 16), shown: shown.slice(0, 80) };
}

function ends(value: string): string {
  return value.length < 8 ? '****' : `${value.slice(0, 2)}****${value.slice(-2)}`;
}
