import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KeyTrait, keyPatterns } from './argument-keys.ts';
import { ArgumentSign, argumentSigns } from './argument-signs.ts';
import { commandKey } from './effect-kinds.ts';
import { accountsOf } from './money.ts';
import { scalarsOf } from './scalars.ts';

/** Keys of accounts count only with digits below them. */
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

const ofAccounts = keyPatterns.filter(([trait]) => (trait & (KeyTrait.account | KeyTrait.routing)) !== 0);
const accountKey = fc.oneof(
  fc.constantFrom('order_id', 'note', 'no', ''),
  ...ofAccounts.map(([, { source }]) => fc.stringMatching(new RegExp(source)).filter((text) => /^[\w.]*$/.test(text))),
);
const number = fc.oneof(
  fc.constantFrom(
    ...['DE89370400440532013000', 'GB82 WEST 1234 5698 7654 32', '4111 1111 1111 1111', '4111-1111-1111-1111'],
    ...['0x52908400098527886E0F7030069857D2E4169EE7', 'bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq'],
    ...['1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2', '021000021', ' 12345678 ', '1234-5678', 'A-12345', 'A-123', '12', 'none'],
  ),
  fc.stringMatching(/^[A-Z0-9 -]{0,24}$/),
  fc.integer(),
);

test('no account in arguments is missed, and the number of an order is none', () => {
  const missed = (raw: string): boolean =>
    (argumentSigns(raw) & ArgumentSign.account) === 0 && accountsOf(scalarsOf(JSON.parse(raw))).length > 0;
  fc.assert(
    fc.property(
      fc.dictionary(accountKey, fc.oneof(number, fc.array(number), fc.dictionary(accountKey, number))),
      (map) => assert.equal(missed(JSON.stringify(map)), false, JSON.stringify(map)),
    ),
    { numRuns: 5_000 },
  );
  for (const raw of ['{"account":4e15}', '{"a":[1, 4111111.111111111E9]}', '{"account" :"1234 "}'])
    assert.equal(missed(raw), false, raw);
  assert.equal(argumentSigns('{"order_id":"A-12345","fields":["status","items"]}') & ArgumentSign.account, 0);
});
