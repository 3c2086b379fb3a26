import type { Value } from '../model/value.ts';
import { KeyTrait, keyTraits } from './argument-keys.ts';
import { isCardNumber, isRoutingNumber } from './checksums.ts';
import { ibanPlaces } from './iban.ts';
import { isMap, member } from './json-value.ts';
import { masked } from './mask.ts';
import type { Scalars } from './scalars.ts';

const itemsMax = 64;

/** Amounts in arguments, as decimal text: numbers under a name that means money. */
export function amountsOf(scalars: Scalars): string[] {
  const amounts = new Set<string>();
  for (const [scalar, , keys] of scalars) {
    if (amounts.size >= itemsMax || (keys & KeyTrait.amount) === 0) continue;
    const amount = plainAmount(scalar);
    if (amount !== undefined) amounts.add(amount);
  }
  return [...amounts];
}

/** A number, or a text that those who are paid would read as one: `1,250.00`, `€5.000,00`, `5 EUR`, `1e3`. */
function plainAmount(scalar: Value): string | undefined {
  if (typeof scalar !== 'number' && typeof scalar !== 'string' && typeof scalar !== 'bigint') return undefined;
  const text = String(scalar).trim();
  if (/^-?\d{1,15}(?:\.\d{1,6})?$/.test(text)) return text;
  if (text.length > 48) return undefined;
  if (/^\d(?:\.\d{1,14})?e\+?\d{1,2}$/i.test(text)) {
    const number = Number(text);
    return number < 1e15 ? String(number) : undefined;
  }
  const [, sign, digits, unit] = loneAmount.exec(text) ?? [];
  return digits === undefined ? undefined : `${sign}${times(decimal(digits), unit)}`;
}

/**
 * Sums with their currency, as `<decimal> <ISO 4217 code>`: an amount beside a currency in the same object, or written in text
 * (`€1.250,00`, `USD 25`, `25 EUR`). `$` alone counts as US dollars. Cents named so are turned into the whole unit.
 */
export function moneyOf(args: Value, texts: readonly string[]): string[] {
  const sums = new Set<string>();
  const add = (amount: string | undefined, currency: string | undefined): void => {
    if (amount !== undefined && currency !== undefined && sums.size < itemsMax) sums.add(`${amount} ${currency}`);
  };
  let left = 1024;
  const visit = (value: Value, depth: number): void => {
    if (left-- <= 0 || depth > 16 || value === null || typeof value !== 'object') return;
    if (isMap(value)) {
      const currency = currencyOf(
        member(value, 'currency') ?? member(value, 'currency_code') ?? member(value, 'currencyCode'),
      );
      for (const key of Object.keys(value)) {
        if ((keyTraits(key) & KeyTrait.amount) === 0) continue;
        const named = /_?(eur|usd|gbp)$/i.exec(key)?.[1]?.toUpperCase();
        add(wholeUnits(key, value[key]!), currency ?? named);
      }
    }
    for (const inner of Array.isArray(value) ? value : Object.values(value as object)) visit(inner as Value, depth + 1);
  };
  visit(args, 0);
  for (const text of texts) {
    if (!moneyHint.test(text)) continue;
    for (const match of text.matchAll(written)) {
      const [, before, first, firstUnit, second, secondUnit, after] = match;
      add(times(decimal(first ?? second!), firstUnit ?? secondUnit), currencyOf(before ?? after!));
      if (sums.size >= itemsMax) break;
    }
  }
  return [...sums];
}

const symbols: ReadonlyMap<string, string> = new Map([
  ['$', 'USD'],
  ['US$', 'USD'],
  ['A$', 'AUD'],
  ['AU$', 'AUD'],
  ['C$', 'CAD'],
  ['CA$', 'CAD'],
  ['NZ$', 'NZD'],
  ['HK$', 'HKD'],
  ['S$', 'SGD'],
  ['R$', 'BRL'],
  ['zł', 'PLN'],
  ['円', 'JPY'],
  ['元', 'CNY'],
  ['€', 'EUR'],
  ['£', 'GBP'],
  ['¥', 'JPY'],
  ['₹', 'INR'],
  ['₩', 'KRW'],
  ['₿', 'BTC'],
]);
const codes =
  'USD|EUR|GBP|JPY|CHF|CAD|AUD|NZD|CNY|INR|KRW|SEK|NOK|DKK|PLN|CZK|HUF|BRL|MXN|SGD|HKD|ZAR|TRY|AED|BTC|ETH|USDT|USDC';
const moneyHint = new RegExp(`[$€£¥₹₩₿円元]|zł|\\b(?:${codes})(?![A-Za-z])`);
const number =
  "\\d{1,3}(?:[.,\u00a0 '’]\\d{3}){1,4}(?:[.,]\\d{1,2})?|\\d{1,2}(?:,\\d{2}){1,5},\\d{3}(?:\\.\\d{1,2})?|\\d{1,15}(?:[.,]\\d{1,8})?";
/** What an amount is multiplied with. */
const unit = '(?:[ \u00a0]?([kKmM]|mn|[Mm]io|bn|B|thousand|million|billion)(?![A-Za-z]))?';
const sign = '(?:US|AU?|CA?|NZ|HK|S|R)?\\$|[€£¥₹₩₿]';
const written = new RegExp(
  `(?<![\\w$])(${sign}|(?:${codes})(?![A-Za-z]))[ \u00a0]?(${number})${unit}(?!\\w|[.,]\\d)|(?<![\\w.,'’])(${number})${unit}[ \u00a0]?([€£¥₹₩₿円元]|zł|(?:${codes})\\b)`,
  'g',
);
const loneAmount = new RegExp(
  `^(-?)[ \u00a0]?(?:(?:${sign}|(?:${codes}))[ \u00a0]?)?(${number})${unit}(?:[ \u00a0]?(?:[€£¥₹₩₿円元$]|zł|(?:${codes})))?$`,
  'i',
);

function times(amount: string, word: string | undefined): string {
  if (word === undefined) return amount;
  const factor = /^(?:k|t)/i.test(word) ? 1e3 : /^b/i.test(word) ? 1e9 : 1e6;
  return String(Number((Number(amount) * factor).toPrecision(15)));
}

function currencyOf(value: Value | undefined): string | undefined {
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  return (
    symbols.get(text) ??
    symbols.get(text.toUpperCase()) ??
    (/^[a-z]{3,4}$/i.test(text) ? text.toUpperCase() : undefined)
  );
}

function wholeUnits(key: string, value: Value): string | undefined {
  const text = plainAmount(value);
  if (text === undefined) return undefined;
  return /cents$/i.test(key) ? (Number(text) / 100).toFixed(2) : text;
}

/** `1.250,00` and `1,250.00` are both 1250.00: the last separator is the decimal point unless three digits follow a thousand's. */
function decimal(text: string): string {
  const compact = text.replace(/[\u00a0 '’]/g, '');
  const last = Math.max(compact.lastIndexOf('.'), compact.lastIndexOf(','));
  const groups = compact.match(/[.,]/g)?.length ?? 0;
  const isPoint =
    last >= 0 &&
    (compact.startsWith('0') ||
      compact.length - last !== 4 ||
      (groups > 1 && compact.indexOf(compact[last]!) === last));
  const whole = (isPoint ? compact.slice(0, last) : compact).replace(/[.,]/g, '');
  return isPoint ? `${whole}.${compact.slice(last + 1)}` : whole;
}

/**
 * Accounts that arguments name, as `<kind> <masked>`: IBANs and cards by their checksum wherever they stand, wallets by their
 * shape, and account and routing numbers by the name of their argument.
 */
export function accountsOf(scalars: Scalars): string[] {
  const accounts = new Set<string>();
  const add = (kind: string, value: string): void => {
    if (accounts.size < itemsMax) accounts.add(`${kind} ${masked(value.replace(/[ .\u00a0-]/g, ''))}`);
  };
  for (const [scalar, , keys] of scalars) {
    const text = String(scalar).trim();
    if (text.length > 65_536 || (text.length < ibanCharsMin && (keys & namesAccount) === 0)) continue;
    if (!/\d{2}|0x/.test(text)) continue;
    if (text.length >= ibanCharsMin && /\d{4}/.test(text)) {
      for (const { start, end } of ibanPlaces(text)) add('iban', text.slice(start, end).toUpperCase());
      for (const [found] of text.matchAll(cardLike)) if (isCardNumber(found)) add('card', found);
    }
    if (text.length >= walletCharsMin) for (const [found] of text.matchAll(wallet)) add('wallet', found);
    if ((keys & KeyTrait.routing) !== 0 && isRoutingNumber(text)) add('routing', text);
    else if (
      (keys & KeyTrait.account) !== 0 &&
      /^(?=[\w -]{0,30}\d{4})[A-Z0-9][\w -]{4,40}$/i.test(text) &&
      ibanPlaces(text, 1).length === 0 &&
      !isCardNumber(text)
    )
      add('account', text);
  }
  return [...accounts];
}

const namesAccount = KeyTrait.routing | KeyTrait.account;
/** The shortest text that the patterns below match: an IBAN, which is shorter than any card, and a wallet. */
const ibanCharsMin = 12;
const walletCharsMin = 33;
const cardLike =
  /(?<![\w.-])(?:[3-6]\d{3}|2[2-7]\d{2})[ .\u00a0-]?\d{4}[ .\u00a0-]?\d{4}[ .\u00a0-]?\d{1,7}(?!\w|[.-]\d)/g;
/** Ethereum and its kin, Bitcoin in bech32 and base58. */
const wallet =
  /(?<!\w)(?:0x[a-fA-F0-9]{40}|bc1[ac-hj-np-z02-9]{38,58}|[13](?=[a-zA-Z]{0,33}\d)(?=[A-Z\d]{0,33}[a-z])(?=[a-z\d]{0,33}[A-Z])[a-km-zA-HJ-NP-Z1-9]{32,33})(?!\w)/g;
