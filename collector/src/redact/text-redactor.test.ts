import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { secretFormats } from '../normalise/secret-formats.ts';
import { mintToken } from '../receive/token-file.ts';
import { HintScanner } from './hint-scanner.ts';
import { mayHoldPiiIn } from './pii-hints.ts';
import { secretHints } from './places.ts';
import { personal, secrets } from './testing/secrets.ts';
import { TextRedactor } from './text-redactor.ts';

const key = Buffer.from('0123456789abcdef0123456789abcdef');
const texts = new TextRedactor(key, false);
const all = new TextRedactor(key, true);
const placeholders = (text: string) => text.match(/\[(?:secret|pii):\w+:[0-9a-f]{16}\]/g) ?? [];

const kindOf = fc.constantFrom(...Object.keys(secrets));
/** Text as it stands around secrets: words, lines, quotes and backslashes, but nothing that would be a part of one. */
const around = fc.stringMatching(/^(?:[ .,!äß漢\n\t"\\]|(?:word |x=1 )){0,12}$/);

test('every kind of secret has a sample', () => {
  assert.deepEqual(
    secretFormats.map(({ kind }) => kind).filter((kind) => secrets[kind] === undefined),
    [],
  );
});

test('no secret stays, whatever is around it and however deep it is encoded', () => {
  fc.assert(
    fc.property(kindOf, fc.nat(), around, around, fc.nat(3), (kind, seed, before, after, depth) => {
      const { text, value } = secrets[kind]!(seed);
      let whole = `${before} ${text} ${after}`;
      for (let i = 0; i < depth; i++) whole = JSON.stringify({ say: whole, n: i });
      const redacted = texts.redacted(whole);
      assert.ok(!redacted.includes(value), `${kind}: ${redacted}`);
      assert.ok(!redacted.includes(JSON.stringify(value).slice(1, -1)));
      assert.ok(placeholders(redacted).length > 0);
      let inner: string = redacted;
      for (let i = 0; i < depth; i++) inner = (JSON.parse(inner) as { say: string }).say;
      if (!/[\\]/.test(before)) assert.ok(inner.startsWith(before));
      assert.equal(texts.redacted(redacted), redacted, 'what is redacted stays as it is');
    }),
    { numRuns: 1000 },
  );
});

test('tokens of our own senders go, names of our metrics stay', () => {
  const token = mintToken();
  const text = `curl -H "authorization: Bearer ${token}" | grep spanwarden_receive_token_requests_total`;
  const redacted = texts.redacted(text);
  assert.match(
    redacted,
    /Bearer \[secret:spanwarden_token:[0-9a-f]{16}\]" \| grep spanwarden_receive_token_requests_total$/,
  );
  const name = `spanwarden_${'a_long_name_of_a_metric_that_has_as_many_c_'.padEnd(43, 'x')}`;
  assert.equal(texts.redacted(name), name);
});

test('placeholders are equal if and only if the values are', () => {
  fc.assert(
    fc.property(kindOf, fc.nat(50), fc.nat(50), (kind, a, b) => {
      const [one, other] = [secrets[kind]!(a), secrets[kind]!(b)];
      const first = placeholders(texts.redacted(`see ${one.text} and so on`));
      const second = placeholders(texts.redacted(JSON.stringify({ input: `\n${other.text} there` })));
      assert.equal(first.length, 1);
      assert.equal(first[0] === second[0], one.value === other.value);
    }),
    { numRuns: 500 },
  );
  const value = secrets.github_token!(1).value;
  assert.notEqual(new TextRedactor(Buffer.alloc(32, 1), false).redacted(value), texts.redacted(value));
});

test('a secret in base64 is not readable, and alone has the placeholder of the secret', () => {
  for (const [kind, sample] of Object.entries(secrets)) {
    const { text, value } = sample(3);
    const encoded = Buffer.from(`it is ${text} ok`).toString('base64');
    const redacted = texts.redacted(`x ${encoded} y`);
    assert.match(redacted, /^x \[secret:base64_\w+:[0-9a-f]{16}\] y$/, kind);
    if (text !== value) continue;
    assert.equal(texts.redacted(Buffer.from(value).toString('base64')), texts.redacted(value), kind);
  }
});

/** How a secret may be written so that whoever reads the text has it. */
const writings: Readonly<Record<string, (text: string) => string>> = {
  'slashes as PHP writes them': (text) => JSON.stringify({ a: text }).replaceAll('/', '\\/'),
  'the same in JSON': (text) => JSON.stringify({ b: JSON.stringify({ a: text }).replaceAll('/', '\\/') }),
  'every character as an escape': (text) =>
    `{"a":"${[...text].map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"}`,
  'some as an escape': (text) =>
    `{"a":"${[...text].map((char, i) => (i % 5 === 2 ? `\\u${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}` : char)).join('')}"}`,
  'the query of a URL': (text) => `https://x.example/?q=${encodeURIComponent(text)}&n=1`,
  'every byte of it': (text) => [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  'HTML by number': (text) => [...text].map((char) => `&#${char.charCodeAt(0)};`).join(''),
  'HTML by hex': (text) => [...text].map((char) => `&#x${char.charCodeAt(0).toString(16)};`).join(''),
  hex: (text) => Buffer.from(text).toString('hex'),
  'capital hex': (text) => Buffer.from(text).toString('hex').toUpperCase(),
  'base64 of base64': (text) => base64(base64(text)),
  'hex of base64 of base64': (text) => Buffer.from(base64(base64(text))).toString('hex'),
  'base64 of hex': (text) => base64(Buffer.from(text).toString('hex')),
  'base64 in a URL': (text) => `https://x.example/?d=${encodeURIComponent(base64(text))}`,
  'base64 in lines': (text) => base64(`${'-'.repeat(60)} ${text} ${'-'.repeat(60)}`).replace(/(.{76})/g, '$1\n'),
};
const base64 = (text: string) => Buffer.from(text).toString('base64');

for (const [form, write] of Object.entries(writings)) {
  test(`no secret stays in other writing: ${form}`, () => {
    for (const [kind, sample] of Object.entries(secrets)) {
      const { text, value } = sample(23);
      const written = write(`it is ${text} ok`);
      const bytes = Buffer.from(`see ${written} there`);
      const scanner = new HintScanner(secretHints);
      // Of lines, each is looked at by itself.
      if (form !== 'base64 in lines') {
        scanner.scan(bytes);
        assert.ok(scanner.has(4, bytes.length - 6), `${kind} is pointed at`);
      }
      const redacted = texts.replacedIn(bytes.toString());
      assert.ok(placeholders(redacted).length > 0, `${kind}: ${redacted}`);
      assert.ok(!redacted.includes(write(value)), kind);
    }
  });
}

test('what only its context tells', () => {
  const random = 'aB3dE6gH9kLmN0pQrS7tUvWx';
  const cases: readonly (readonly [text: string, redacted: string])[] = [
    [`-H "Authorization: token ${random}"`, '-H "Authorization: token *"'],
    [`proxy-authorization: Basic ${base64(`user:${random}`)}`, 'proxy-authorization: Basic *'],
    [`["authorization","Bearer ${random}"]`, '["authorization","Bearer *"]'],
    [`Set-Cookie: sid=${random}; HttpOnly`, 'Set-Cookie: *; HttpOnly'],
    [`DB_PASS=${random}`, 'DB_PASS=*'],
    [`Server=db;User Id=sa;Pwd=${random};`, 'Server=db;User Id=sa;Pwd=*'],
    ['{"user":"bob","password":"hunter22"}', '{"user":"bob","password":"*"}'],
    ['{"password":"p@$$w0rd{1}"}', '{"password":"*"}'],
    [`SECRET_KEY_BASE=${random}`, 'SECRET_KEY_BASE=*'],
    [`https://x.example/?token=${random}&a=1`, 'https://x.example/?token=*&a=1'],
    [`redis://:${random}@cache.prod.io:6379`, 'redis://:*@cache.prod.io:6379'],
    [`https://${random}@git.prod.io/x`, 'https://*@git.prod.io/x'],
    [`postgres://u:a@b/${random}`, `postgres://u:a@b/${random}`],
    [`postgres://u:q7@${random}@db.prod.io/x`, 'postgres://u:*@db.prod.io/x'],
    ['curl --user bob:s3cret-1 https://x.example', 'curl --user bob:* https://x.example'],
    ['sshpass -p s3cret-1 ssh h', 'sshpass -p * ssh h'],
    ['login --password s3cret-1x', 'login --password *'],
    [
      `-----BEGIN PGP ${'PRIVATE'} KEY BLOCK-----\nVersion: x\n\n${random}\n=abcd\n-----END PGP PRIVATE KEY BLOCK-----`,
      '*',
    ],
    [`Private-Lines: 1\n${random}${random}`, '*'],
  ];
  for (const [text, redacted] of cases)
    assert.equal(texts.redacted(text).replace(/\[secret:\w+:[0-9a-f]{16}\]/g, '*'), redacted);
  for (const text of [
    'Authorization: Bearer <token>',
    'authorization: basic understanding',
    'the bearer of this letter',
    'Cookie: a small text file, name=value',
    'docker run -u 1000:1000000 x',
    '--password your-password-1',
    '{"password":"${DB_PASSWORD_1}"}',
    '{"pwd":"/home/user1/projects/x"}',
    'next_page_token=CAUQAAaB3dE6gH9kLmN0pQrS7',
    'a.b@c.example, https://x.example/a@b',
  ])
    assert.equal(texts.redacted(text), text);
});

test('personal data is taken out by secrets_and_pii only', () => {
  for (const [kind, value] of Object.entries(personal)) {
    const text = `please note ${value} for later`;
    assert.equal(texts.redacted(text), text);
    assert.match(all.redacted(text), new RegExp(`^please note \\[pii:${kind}:[0-9a-f]{16}\\] for later$`), kind);
  }
  assert.equal(placeholders(all.redacted('Ann@Example.com'))[0], placeholders(all.redacted('to ann@example.com'))[0]);
});

test('there is no number of secrets and decoys beyond which one stays', () => {
  const decoys = 'api_key = "your-key-goes-here-1" password: aaaaaaaaaaa1aaaa '.repeat(400);
  const many = Array.from({ length: 500 }, (_, i) => secrets.github_token!(i).value);
  const redacted = texts.redacted(`${decoys}${many.join(' ')} ${decoys}${secrets.password_assignment!(9).text}`);
  assert.ok(many.every((value) => !redacted.includes(value)));
  assert.ok(!redacted.includes(secrets.password_assignment!(9).value));
  const people = Array.from({ length: 500 }, (_, i) => `user${i}@example.com +1 415 555 ${1000 + i}`).join(', ');
  assert.equal(placeholders(all.redacted(people)).length, 1000);
});

test('JSON stays JSON where a value without quotes looks like a secret', () => {
  for (const text of [
    '{"secret":[1,2,3,true,null,12345678901234]}',
    '{"api_key":123456789012345678901234567890,"b":1}',
    '{"a":"password=ab12cd34ef56gh78\\"quoted\\"","n":12345678901234567890}',
    '["https://u:v3ry-l0ng-one@h.example","\\u0067hp_aB3dE6gH9aB3dE6gH9aB3dE6gH9aB3dE6gH9"]',
  ]) {
    const redacted = texts.redacted(text);
    JSON.parse(redacted);
    assert.ok(!redacted.includes('v3ry-l0ng-one') && !redacted.includes('ab12cd34ef56gh78'));
  }
});

test('hostile texts of 4 MB take time in proportion', () => {
  const units = [
    'a@b.co ',
    'sk-a ',
    'a://a:b',
    `-----BEGIN ${'PRIVATE KEY-----'}`,
    'api_key=a1',
    '\\\\u0041',
    '.eyJaaaaaaaaaa',
    '{"secret":[',
  ];
  for (const unit of units) {
    const text = unit.repeat((4 << 20) / unit.length);
    assert.equal(typeof all.redacted(text), 'string');
  }
});

test('what a hint lets pass has nothing that a look at the whole would replace', () => {
  const scanner = new HintScanner(secretHints);
  const sample = fc.tuple(kindOf, fc.nat()).map(([kind, seed]) => secrets[kind]!(seed).text);
  const piece = fc.oneof(
    around,
    sample,
    sample.map((text) => Buffer.from(text).toString('base64')),
    sample.map((text) => text.slice(text.length >> 1)),
    fc.constantFrom(...Object.values(personal)),
    fc.constantFrom(
      'Secret_kEy',
      'api_key',
      'token',
      'password',
      'a://b',
      '://u:p',
      '@h.example',
      '"',
      "'",
      '\\"',
      '\n',
    ),
    fc.constantFrom(
      ':',
      '=',
      ': "',
      '\u00a0',
      '漢',
      '$',
      '{',
      '\\',
      '\\\\',
      '\\u0041',
      '\\u4e20',
      'DE89',
      '(',
      ') ',
      '-',
    ),
    fc.stringMatching(/^[0-9a-zA-Z .+-]{0,14}$/),
  );
  const whole = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(whole, fc.nat(2), (plain, depth) => {
      let text = plain;
      for (let i = 0; i < depth; i++) text = JSON.stringify(text);
      for (const each of [texts, all]) assert.equal(each.redacted(text), each.replacedIn(text));
      const bytes = Buffer.from(`a${text}b`).subarray(1, -1);
      scanner.scan(bytes);
      const passes = !scanner.has(0, bytes.length);
      if (passes) assert.equal(texts.replacedIn(text), text);
      if (passes && !mayHoldPiiIn(bytes, 0, bytes.length)) assert.equal(all.replacedIn(text), text);
    }),
    { numRuns: 5000 },
  );
});

test('the scanner points at every value that has something to redact', () => {
  const scanner = new HintScanner(secretHints);
  fc.assert(
    fc.property(kindOf, fc.nat(), fc.nat(70), fc.nat(2), (kind, seed, shift, form) => {
      const { text } = secrets[kind]!(seed);
      const forms = [text, JSON.stringify({ a: text }), Buffer.from(text).toString('base64')];
      const start = shift + 8;
      const bytes = Buffer.from(`${'8'.repeat(shift)} word - ${forms[form]} - more`);
      scanner.scan(bytes);
      assert.ok(scanner.has(start, bytes.length - 7), `${kind} ${form}`);
      assert.ok(!scanner.has(0, shift));
    }),
    { numRuns: 1000 },
  );
});

test('what is remembered of secrets does not keep the texts in memory that they stood in', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const redactor = new TextRedactor(key, false);
  const used = () => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = used();
  const textBytes = 128 * 1024;
  for (let i = 0; i < 100; i++) {
    const letters = String(i)
      .padStart(6, '0')
      .replace(/\d/g, (digit) => 'ABCDEFGHIJ'[Number(digit)]!);
    redactor.redacted(Buffer.from(`AKIA${letters}QRSTUVWXYZ ${' word'.repeat(textBytes / 5)}`).toString());
  }
  assert.equal(redactor.replaced, 100);
  assert.ok(used() - before < 50 * textBytes);
});
