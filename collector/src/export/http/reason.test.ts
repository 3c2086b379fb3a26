import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { limits } from '../../model/limits.ts';
import { shower } from './reason.ts';

test('secrets are cut out in whatever of the usual forms they stand', () => {
  const secret = 'to/ken"+with=signs';
  const show = shower([secret]);
  const forms = [
    secret,
    JSON.stringify(secret),
    JSON.stringify(secret).replaceAll('/', '\\/'),
    encodeURIComponent(secret),
  ];
  for (const form of forms) assert.match(show(`no ${form} here`), /^no "?\[REDACTED\]"? here$/, form);
  assert.equal(shower(['abc'])('abc'), 'abc');
});

test('of two secrets the one that holds the other goes first', () => {
  assert.equal(shower(['path', '/path/and/more'])('at /path/and/more'), 'at [REDACTED]');
});

test('what looks like credentials goes as well, and addresses lose what may be secret', () => {
  const show = shower([]);
  assert.equal(show('Authorization: Bearer abcdefgh.ijk'), 'Authorization: Bearer [REDACTED]');
  assert.equal(show('see https://user:word@h.example/a/b?token=1#x now'), 'see https://h.example/a/b now');
});

test('any text becomes one short line without secrets and without what acts on a terminal', () => {
  const secret = 's3cr3t-value';
  const show = shower([secret]);
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), fc.string({ unit: 'binary' }), (before, after) => {
      const text = show(`${before}${secret}${after}\u001b[2J\r\n\u202e\ud800`);
      assert.ok(text.length <= limits.exportReasonCharsMax);
      assert.doesNotMatch(text, /[\p{C}\p{Zl}\p{Zp}]/u);
      assert.ok(!text.includes(secret));
    }),
  );
});
