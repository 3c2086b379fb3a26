import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { accountsOf, amountsOf, moneyOf } from './money.ts';
import { scalarsOf } from './scalars.ts';

const accountsIn = (args: unknown) => accountsOf(scalarsOf(args as never));
const amountsIn = (args: unknown) => amountsOf(scalarsOf(args as never));
const inText = (text: string) => moneyOf(null, [text]);

test('sums in text', () => {
  const cases: readonly (readonly [text: string, ...sums: string[]])[] = [
    ['pay €1.250,00 now', '1250.00 EUR'],
    ['pay $1,250.00.', '1250.00 USD'],
    ['USD 25 or 25 EUR', '25 USD', '25 EUR'],
    ['£3.5 and 12,50 €', '3.5 GBP', '12.50 EUR'],
    ['US$1,000', '1000 USD'],
    ['CHF 1 250 000.50', '1250000.50 CHF'],
    ['0.015 BTC', '0.015 BTC'],
    ["CHF 1'250.00 and 1’250.00 CHF", '1250.00 CHF'],
    ['USD1,250', '1250 USD'],
    ['$1.5 million, $5M, 5k USD', '1500000 USD', '5000000 USD', '5000 USD'],
    ['₹1,00,000', '100000 INR'],
    ['A$5 CA$10 R$ 1.234,56', '5 AUD', '10 CAD', '1234.56 BRL'],
    ['1000円 or 5 zł', '1000 JPY', '5 PLN'],
    ['USD 5, then try 3 times', '5 USD'],
  ];
  for (const [text, ...sums] of cases) assert.deepEqual(inText(text), sums, text);
  for (const text of ['costs nothing', '$HOME/x', '$1abc', 'EUROPE 5', 'echo $12x', 'version 1.2.3']) {
    assert.deepEqual(inText(text), [], text);
  }
});

test('sums in arguments', () => {
  assert.deepEqual(moneyOf({ amount: 20, currency: 'eur' }, []), ['20 EUR']);
  assert.deepEqual(moneyOf({ payment: { amount_cents: 1999, currency_code: 'USD' } }, []), ['19.99 USD']);
  assert.deepEqual(moneyOf({ amount_usd: '5.50' }, []), ['5.50 USD']);
  assert.deepEqual(moneyOf({ amount: 20 }, []), []);
  assert.deepEqual(moneyOf({ amount: '1,250.00', currency: 'USD' }, []), ['1250.00 USD']);
  assert.deepEqual(
    amountsIn({ a: [{ amount: '€5.000,00' }, { amount: '5 EUR' }, { amount: '1e3' }, { amount: '$2k' }] }),
    ['5000.00', '5', '1000', '2000'],
  );
  assert.deepEqual(amountsIn({ amount: 'all', total: '12 items', price: '1e40', sum: 1e40 }), []);
  assert.deepEqual(amountsIn({ amount: 20, order: { total: '3.50' }, count: 4 }), ['20', '3.50']);
});

test('accounts are told by checksum, shape or name, and masked', () => {
  assert.deepEqual(accountsIn({ to: 'DE89 3704 0044 0532 0130 00' }), ['iban DE****00']);
  assert.deepEqual(accountsIn({ to: 'pay de89370400440532013000 EUR 5' }), ['iban DE****00']);
  assert.deepEqual(accountsIn({ to: 'DE89-3704-0044-0532-0130-00 EUR' }), ['iban DE****00']);
  assert.deepEqual(accountsIn({ to: '2223 0031 2200 3222' }), ['card 22****22']);
  assert.deepEqual(accountsIn({ note: 'card 4111-1111-1111-1111' }), ['card 41****11']);
  assert.deepEqual(accountsIn({ account_number: '000123456789' }), ['account 00****89']);
  assert.deepEqual(accountsIn({ routing_number: '021000021' }), ['routing ****']);
  assert.deepEqual(accountsIn({ to: '0x52908400098527886E0F7030069857D2E4169EE7' }), ['wallet 0x****E7']);
  assert.deepEqual(accountsIn({ to: 'bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq' }), ['wallet bc****dq']);
  assert.deepEqual(accountsIn({ to: '1BoatSLRHtKNngkdXEeobR76b53LETtpyT' }), ['wallet 1B****yT']);
  for (const args of [
    { iban: 'DE89' },
    { order: '4111111111111112' },
    { routing_number: '021000022' },
    { account: 'ada' },
  ]) {
    assert.deepEqual(accountsIn(args), [], JSON.stringify(args));
  }
});

test('any arguments: bounded, and no value in full', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.array(fc.string()), (args, texts) => {
      assert.ok(moneyOf(args as never, texts).length <= 64);
      for (const account of accountsIn(args as never)) assert.match(account, /^\w+ (?:..)?\*{4}(?:..)?$/);
    }),
  );
  for (const unit of ['$1,000', '€', '1 000 ', 'USD', 'DE89 ', '0xa', '1a']) {
    inText(unit.repeat(4_000_000 / unit.length));
    accountsIn({ account: unit.repeat(4_000_000 / unit.length) });
  }
});
