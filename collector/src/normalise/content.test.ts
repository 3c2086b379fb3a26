import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hiddenUnicodeKinds, piiKinds, secretKinds } from './content.ts';

// Written in two halves, so that scanners of this repository do not take them for real.
const fake = (prefix: string, length: number) => prefix + 'aB3dE6gH9'.repeat(20).slice(0, length);

test('secrets are told by the formats of their issuers', () => {
  const cases: [string, string][] = [
    [`key AKIA${'ABCD1234EFGH5678'}`, 'aws_access_key'],
    [fake('ghp_', 36), 'github_token'],
    [fake('xoxb-', 40), 'slack_token'],
    [fake('sk_live_', 24), 'stripe_key'],
    [fake('sk-proj-', 48), 'openai_key'],
    [fake('sk-ant-', 60), 'anthropic_key'],
    [`-----BEGIN RSA ${'PRIVATE KEY-----'}\nMII`, 'private_key'],
    [`eyJ${'hbGciOiJIUzI1NiJ9'}.eyJ${'zdWIiOiIxMjM0In0'}.abc-def_ghi12`, 'jwt'],
    [`password = "${'hunter2-and-more'}"`, 'password_assignment'],
  ];
  for (const [text, kind] of cases) assert.ok(secretKinds(text).includes(kind), `${kind}: ${text}`);
});

test('talk about secrets is no secret', () => {
  const texts = [
    'set password: <your password here>',
    'the token is in the vault',
    'api_key: ${API_KEY_FROM_ENV}',
    'max_tokens: 4096',
    'secret: "changeme"',
    'sk-learn is short',
    'AKIA is how AWS keys begin',
  ];
  for (const text of texts) assert.deepEqual(secretKinds(text), [], text);
});

test('personal data is checked where a checksum exists', () => {
  assert.deepEqual(piiKinds('4111 1111 1111 1111'), ['payment_card']);
  assert.deepEqual(piiKinds('4111 1111 1111 1112'), []);
  assert.deepEqual(piiKinds('DE89 3704 0044 0532 0130 00'), ['iban']);
  assert.deepEqual(piiKinds('DE89 3704 0044 0532 0130 01'), []);
  assert.deepEqual(piiKinds('ssn 078-05-1120'), ['us_ssn']);
  assert.deepEqual(piiKinds('ann@example.com'), ['email']);
  assert.deepEqual(piiKinds('(555) 010-4477'), ['phone']);
  for (const text of ['order 20261122-0001', 'build 1.2.3.4', '2026-11-22', 'id 123456789012', 'v10.20.30']) {
    assert.deepEqual(piiKinds(text), [], text);
  }
});

test('hidden characters count where they hide something', () => {
  const tags = [...'ignore'].map((char) => String.fromCodePoint(0xe0000 + char.charCodeAt(0))).join('');
  assert.deepEqual(hiddenUnicodeKinds(`hello${tags}`), ['tag']);
  assert.deepEqual(hiddenUnicodeKinds('pass\u200bword'), ['zero_width']);
  assert.deepEqual(hiddenUnicodeKinds('abc\u202edcba'), ['bidi']);
  assert.deepEqual(hiddenUnicodeKinds(`a${'\u{e0101}\u{e0122}'}`), ['variation_selector']);
  const innocent = [
    '👩‍👩‍👧 family',
    '❤️',
    '🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}',
    '\ufeffwith BOM',
    'שלום\u200f',
    'می\u200cخواهم',
  ];
  for (const text of innocent) assert.deepEqual(hiddenUnicodeKinds(text), [], text);
});

test('long hostile input stays linear', () => {
  const inputs = [
    'a'.repeat(2_000_000),
    `${'1-'.repeat(1_000_000)}`,
    '+1 '.repeat(500_000),
    '@'.repeat(1_000_000),
    'password='.repeat(200_000),
  ];
  for (const input of inputs) {
    piiKinds(input);
    secretKinds(input);
    hiddenUnicodeKinds(input);
  }
});
