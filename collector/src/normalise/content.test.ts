import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { piiKinds, piiMatches, secretKinds, secretMatches } from './content.ts';
import { hiddenUnicodeKinds, homoglyphWords } from './hidden-text.ts';

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
    [`client_secret: '${'q7Zx0Kp2Vb9Nw4Rt6Ys1'}'`, 'key_assignment'],
    [fake('glpat-', 20), 'gitlab_token'],
    [`https://hooks.slack.com/services/${'T0AB12CD3/B0AB12CD3/aB3dE6gH9aB3dE6gH9aB3dE6'}`, 'slack_webhook'],
    [fake('GOCSPX-', 28), 'google_oauth'],
    [`hf_${'abcdefghijKLMNOPqrstuvWXYZabcdefgh'}`, 'huggingface_token'],
    [`SG.${fake('', 22)}.${fake('', 43)}`, 'sendgrid_key'],
    [`dapi${'0123456789abcdef'.repeat(2)}`, 'databricks_token'],
    [`${'123456789'}:AA${fake('', 33)}`, 'telegram_token'],
    [`AccountKey=${fake('', 86)}==`, 'azure_storage_key'],
    [`postgres://shop:${'v3ry-l0ng-one'}@db.example/orders`, 'url_credentials'],
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
    'postgres://postgres:postgres@db/test and postgres://shop:${DB_PASSWORD}@db/shop',
    'redis://app:s3cret-of-mine@localhost:6379',
    'password: aaaaaaaaaaa1aaaa',
    'client_secret = "your-client-secret-goes-here-1"',
    'secret_key: process.env.SECRET_KEY_BASE_V2',
    'see https://example.com/a:b@c and git@github.com:org/repo',
  ];
  for (const text of texts) assert.deepEqual(secretKinds(text), [], text);
});

test('personal data is checked where a checksum exists', () => {
  assert.deepEqual(piiKinds('4111 1111 1111 1111'), ['payment_card']);
  assert.deepEqual(piiKinds('4111 1111 1111 1112'), []);
  assert.deepEqual(piiKinds('DE89 3704 0044 0532 0130 00'), ['iban']);
  assert.deepEqual(piiKinds('DE89 3704 0044 0532 0130 01'), []);
  for (const text of [
    'de89370400440532013000',
    'DE89-3704-0044-0532-0130-00.',
    'to DE89 3704 0044 0532 0130 00 EUR 25',
    'gb29 nwbk 6016 1331 9268 19 now',
    'NO93\u00a08601\u00a01117\u00a0947',
    'MT84 MALT 0110 0001 2345 MTLC AST0 01S',
  ])
    assert.deepEqual(piiKinds(text), ['iban'], text);
  for (const text of [
    'ab89370400440532013000',
    'De89370400440532013000',
    'de8937040044053201300',
    'de893704004405320130001',
  ])
    assert.deepEqual(piiKinds(text), [], text);
  for (const text of ['2223 0031 2200 3222', '4111\u00a01111\u00a01111\u00a01111', '4111.1111.1111.1111'])
    assert.deepEqual(piiKinds(text), ['payment_card'], text);
  for (const text of ['ssn: 078051120', 'Social Security number 078 05 1120'])
    assert.deepEqual(piiKinds(text), ['us_ssn'], text);
  for (const text of ['078051120', 'assn 078051120']) assert.deepEqual(piiKinds(text), [], text);
  for (const text of [
    'lodash@4.17.21',
    '@scope/x@1.2.3-beta.1',
    'icon@2x.png',
    'me@10.0.0.1',
    'https://a:b@c.example/',
  ])
    assert.deepEqual(piiKinds(text), [], text);
  for (const text of ['1-800-555-0199', '0049 30 23125014']) assert.deepEqual(piiKinds(text), ['phone'], text);
  assert.deepEqual(piiKinds('ssn 078-05-1120'), ['us_ssn']);
  assert.deepEqual(piiKinds('ann@example.com'), ['email']);
  assert.deepEqual(piiKinds('(555) 010-4477'), ['phone']);
  assert.deepEqual(piiKinds('Amex 3782 822463 10005'), ['payment_card']);
  assert.deepEqual(piiKinds('CPF 529.982.247-25, 529.982.247-26'), ['br_cpf']);
  assert.deepEqual(piiKinds('NIR 1 85 05 78 006 084 91'), ['fr_nir']);
  assert.deepEqual(piiKinds('NIR 1 85 05 78 006 084 92'), []);
  assert.deepEqual(piiKinds('12345678Z'), ['es_dni']);
  assert.deepEqual(piiKinds('12345678A'), []);
  assert.deepEqual(piiKinds('AB 12 34 56 C'), ['uk_nino']);
  for (const text of ['+49 30 23125 014', '+44 20 7946 0958', 'call +1 (415) 555-2671 now']) {
    assert.deepEqual(piiKinds(text), ['phone'], text);
  }
  for (const text of ['+999 123 456 789', '123-456-7890', '+12 34 56 78', '000 000 0000']) {
    assert.deepEqual(piiKinds(text), [], text);
  }
  for (const text of ['order 20261122-0001', 'build 1.2.3.4', '2026-11-22', 'id 123456789012', 'v10.20.30']) {
    assert.deepEqual(piiKinds(text), [], text);
  }
});

test('hidden characters count where they hide something', () => {
  const tags = [...'ignore'].map((char) => String.fromCodePoint(0xe0000 + char.charCodeAt(0))).join('');
  assert.deepEqual(hiddenUnicodeKinds(`hello${tags}`), ['tag']);
  assert.deepEqual(hiddenUnicodeKinds('pass\u200bword'), ['zero_width']);
  assert.deepEqual(hiddenUnicodeKinds('abc\u202edcba'), ['bidi']);
  assert.deepEqual(hiddenUnicodeKinds('if access \u2067!= user\u2069 x'), ['bidi']);
  for (const char of ['\u034f', '\u115f', '\u180e', '\u206a', '\u3164', '\uffa0'])
    assert.deepEqual(hiddenUnicodeKinds(`ig${char}nore`), ['zero_width'], char.codePointAt(0)!.toString(16));
  assert.deepEqual(hiddenUnicodeKinds(`a${'\u{e0101}\u{e0122}'}`), ['variation_selector']);
  const innocent = [
    '👩‍👩‍👧 family',
    '❤️',
    '🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}',
    '\ufeffwith BOM',
    'שלום\u200f',
    'the word \u2067שלום\u2069 here',
    '한글\u3164 문장',
    'می\u200cخواهم',
  ];
  for (const text of innocent) assert.deepEqual(hiddenUnicodeKinds(text), [], text);
});

test('letters of another script inside an English word', () => {
  assert.deepEqual(homoglyphWords('please іgnоrе this'), ['ignore U+0456 U+043e U+0435']);
  assert.deepEqual(homoglyphWords('раypal'), ['paypal U+0440 U+0430']);
  for (const text of ['ignore', 'привет world', 'Ελλάδα and text', '5 μm, kΩ, β-blocker', 'café naïve', 'соседом']) {
    assert.deepEqual(homoglyphWords(text), [], text);
  }
});

test('a checksum is told where the format has one', () => {
  // The published example of the format; its last six characters are the CRC-32 of the thirty before.
  const [first, second] = ['zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ', '0mLq17'];
  const checksums = (text: string) => secretMatches(text).map(({ checksum }) => checksum);
  assert.deepEqual(checksums(`ghp_${first}${second}`), [true]);
  assert.deepEqual(checksums(`npm_${first}${second}`), [true]);
  assert.deepEqual(checksums(`ghp_${first}0mLq18`), [false]);
  assert.deepEqual(checksums(fake('xoxb-', 40)), [undefined]);
});

test('matches say where they stand, and kinds agree with them', () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom(
      '4111 1111 1111 1111',
      'ann@example.com',
      fake('ghp_', 36),
      fake('sk-ant-', 60),
      '+49 30 23125 014',
      ' ',
      'key',
    ),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join(' ');
      for (const [matches, kinds] of [
        [secretMatches(text), secretKinds(text)],
        [piiMatches(text), piiKinds(text)],
      ] as const) {
        assert.deepEqual(new Set(matches.map(({ kind }) => kind)), new Set(kinds));
        for (const { start, end } of matches) assert.ok(0 <= start && start < end && end <= text.length);
      }
    }),
    { numRuns: 1000 },
  );
});

test('long hostile input stays linear', () => {
  const inputs = [
    'a'.repeat(2_000_000),
    `${'1-'.repeat(1_000_000)}`,
    '+1 '.repeat(500_000),
    '@'.repeat(1_000_000),
    'password='.repeat(200_000),
    'a://b:'.repeat(700_000),
    'client_secret: '.repeat(270_000),
    'eyJaaaaaaaaaa.'.repeat(280_000),
    '1234567890'.repeat(400_000),
    '555-010-4477 '.repeat(300_000),
    'AB 12 34 '.repeat(400_000),
    'іa'.repeat(2_000_000),
  ];
  for (const input of inputs) {
    piiKinds(input);
    secretKinds(input);
    hiddenUnicodeKinds(input);
    homoglyphWords(input);
    secretMatches(input);
    piiMatches(input);
  }
});
