import type { Value } from '../model/value.ts';
import { keyTraits } from './argument-keys.ts';
import { walkScalars } from './json-value.ts';

/** A scalar of a value, the path of keys to it, and what the names on that path say, as `KeyTrait`. */
export type Scalar = readonly [scalar: string | number | bigint, path: string, keys: number];

/** Every scalar of a value, so that facts about arguments walk through them once. */
export type Scalars = readonly Scalar[];

export function scalarsOf(value: Value): Scalars {
  if (value === null) return none;
  const scalars: Scalar[] = [];
  walkScalars(value, (scalar, path) => scalars.push([scalar, path, keyTraits(path)]));
  return scalars;
}

const none: Scalars = [];

/** Characters without which facts of arguments come to nothing, as bits. */
export const Sign = {
  at: 1,
  colon: 2,
  /** `/`, `\\` and `~`. */
  separator: 4,
  quote: 8,
  digit: 16,
  /** Two capitals in a row, as in the codes of countries and currencies. */
  capitals: 32,
  /** Signs of currencies, and everything else that is not ASCII. */
  currency: 64,
} as const;

/** The signs that stand in any of the texts. One look at every character spares most calls all patterns. */
export function signsIn(scalars: Scalars): number {
  let signs = 0;
  for (const [scalar] of scalars) {
    if (typeof scalar === 'string') signs |= signsOf(scalar);
    else signs |= Sign.digit;
  }
  return signs;
}

function signsOf(text: string): number {
  let signs = 0;
  let before = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    const sign = unit < 128 ? table[unit]! : Sign.currency;
    signs |= (sign & ~Sign.capitals) | (sign & before & Sign.capitals);
    before = sign;
  }
  return signs;
}

const table = new Uint8Array(128);
for (const [characters, sign] of [
  ['@', Sign.at],
  [':', Sign.colon],
  ['/\\~', Sign.separator],
  ["'", Sign.quote],
  ['0123456789', Sign.digit],
  ['ABCDEFGHIJKLMNOPQRSTUVWXYZ', Sign.capitals],
  ['$', Sign.currency],
] as const)
  for (const character of characters) table[character.charCodeAt(0)] = sign;
