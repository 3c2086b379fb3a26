import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KeyTrait, keyPatterns } from './argument-keys.ts';
import { ArgumentSign, argumentSigns } from './argument-signs.ts';
import { commandKey } from './effect-kinds.ts';

/** Accounts are told by their digits, whatever their keys. */
const named = KeyTrait.host | KeyTrait.sql | KeyTrait.query | KeyTrait.path | KeyTrait.amount;

/** In either case, as the patterns do not care. */
const keys = [...keyPatterns.filter(([trait]) => (trait & named) !== 0).map(([, pattern]) => pattern), commandKey];
const key = fc
  .tuple(fc.oneof(...keys.map(({ source }) => fc.stringMatching(new RegExp(source)))), fc.boolean())
  .map(([text, isUpper]) => (isUpper ? text.toUpperCase() : text))
  // A pattern that begins anywhere begins behind anything.
  .filter((text) => /^[\w.]*$/.test(text));

test('every key that facts look for is seen in the bytes of the arguments', () => {
  fc.assert(
    fc.property(key, fc.boolean(), (name, isTwice) => {
      const json = JSON.stringify({ a: { [name]: 'x' } });
      // Encoded twice it is no map as it stands, and anything may be in it.
      const raw = isTwice ? JSON.stringify({ a: json }) : json;
      assert.notEqual(argumentSigns(raw) & ArgumentSign.named, 0, raw);
    }),
    {
      numRuns: 2_000,
      examples: [
        ['method', false],
        ['http_method', false],
      ],
    },
  );
  assert.equal(argumentSigns('{"order_id":"A-12"}') & ArgumentSign.named, 0);
});
