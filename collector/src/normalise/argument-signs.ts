/** What stands in the JSON of a call's arguments, told without parsing it, as bits. A bit may be set for nothing, never missing. */
export const ArgumentSign = {
  /** A key that facts look for: of commands, methods, hosts, queries, paths and amounts. */
  named: 1,
  /** A colon with a slash behind it, as in every URL. */
  url: 2,
  at: 4,
  /** `/`, `\\` and `~`. */
  separator: 8,
  quote: 16,
  /** Digits as in the number of an account, a card or a wallet, wherever or under a key that means one. */
  account: 32,
  /** Two capitals in a row. */
  capitals: 64,
  currency: 128,
} as const;

/** Of arguments of which nothing can be told before they are parsed. */
export const allArgumentSigns = 255;

/** Looking costs about as much as parsing in longer ones. */
const charsMax = 4096;

/**
 * Most calls touch nothing that facts tell of. Of a map in plain ASCII without escapes that could be letters, texts and keys stand
 * in the JSON as they are, but for backslashes before slashes and quotes, also where it is encoded twice.
 * @param raw the attribute's bytes, each as one character
 */
export function argumentSigns(raw: string): number {
  if (raw === '') return 0;
  if (raw.length > charsMax || raw[0] !== '{') return allArgumentSigns;
  let signs = 0;
  let before = 0;
  for (let at = 0; at < raw.length; at++) {
    const unit = raw.charCodeAt(at);
    const sign = unit < 128 ? table[unit]! : strange;
    signs |= (sign & ~ArgumentSign.capitals) | (sign & before & ArgumentSign.capitals);
    before = sign;
  }
  if ((signs & strange) !== 0 || ((signs & backslash) !== 0 && raw.includes('\\u'))) return allArgumentSigns;
  if ((signs & ArgumentSign.separator) !== 0 && urlColon.test(raw)) signs |= ArgumentSign.url;
  if ((signs & ArgumentSign.account) !== 0 && !mayNameAccount(raw)) signs &= ~ArgumentSign.account;
  if (keys.test(raw)) signs |= ArgumentSign.named;
  return signs & allArgumentSigns;
}

const [backslash, strange] = [256, 512];
const table = new Uint16Array(128);
for (const [characters, sign] of [
  ['@', ArgumentSign.at],
  ['/~', ArgumentSign.separator],
  ['\\', ArgumentSign.separator | backslash],
  ["'", ArgumentSign.quote],
  ['0123456789', ArgumentSign.account],
  ['ABCDEFGHIJKLMNOPQRSTUVWXYZ', ArgumentSign.capitals],
  ['$', ArgumentSign.currency],
] as const)
  for (const character of characters) table[character.charCodeAt(0)] = sign;

const urlColon = /:\\*\//;

/** Whether digits may be what `accountsOf` looks for. An exponent stands for digits that are not there. */
function mayNameAccount(raw: string): boolean {
  if (word.test(raw) || exponent.test(raw)) return true;
  return fourDigits.test(raw) && (capitalsAndDigits.test(raw) || accountKeys.test(raw));
}

/** A wallet, or anything else that is as long as one. */
const word = /\w{33}/;
const exponent = /[:[,\s]-?\d[\d.]*e/i;
const fourDigits = /\d{4}/;
/** An IBAN, or the number of a card. */
const capitalsAndDigits = /[A-Z\d](?:[ -]?[A-Z\d]){11}/;
/** The ends of the keys of accounts and of routing numbers in `argument-keys.ts`. */
const accountKeys =
  /(?:iban|acct|(?:account|routing)(?:_?(?:number|no|id))?|recipient|beneficiary|payee|aba)\\*"[\s\\nrt]*:/i;

/**
 * The ends of all keys that `argument-keys.ts` and `effect-kinds.ts` ask for, and the empty key, below which a text has no name. White
 * space before the colon may be escaped.
 */
const keys =
  /(?:commands?|cmd|method|host(?:name)?|domain|endpoint|server|ur[li]|ip|address|webhook|sql(?:text)?|quer(?:y|ies)|statements?|stmt|string|input|text|body|(?:path|file|filename|dir|directory|folder|cwd)s?|amount|total|price|sum|value|cents|eur|usd|")\\*"[\s\\nrt]*:/i;
