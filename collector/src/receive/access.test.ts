import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { SpanwardenError } from '../model/errors.ts';
import { Access } from './access.ts';
import { changeTokenFile, hashOfToken, mintToken, readTokenFile, type StoredToken } from './token-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'spanwarden-test-'));
after(() => rmSync(directory, { recursive: true }));
let files = 0;

const created = '2026-11-28T12:00:00.000Z';
const startMs = Date.parse(created);
let nowMs = startMs;

function stored(name: string, token: string, more: Partial<StoredToken> = {}): StoredToken {
  return { name, sha256: hashOfToken(token).toString('hex'), created, ...more };
}

function fileOf(tokens: readonly StoredToken[]): string {
  const path = join(directory, `${files++}.json`);
  changeTokenFile(path, () => tokens);
  return path;
}

function accessTo(path: string, { required = true, bearerToken = undefined as string | undefined } = {}): Access {
  nowMs = startMs;
  const access = new Access({ bearerToken, file: { path, required }, now: () => nowMs, clock: () => nowMs - startMs });
  after(() => access.close());
  return access;
}

const admit = (access: Access, token: string) => access.admit(`Bearer ${token}`)?.code ?? 'in';
const unknown = 'SW_HTTP_UNAUTHENTICATED';

test('tokens are kept as hashes, in a file for this user only', () => {
  const token = mintToken();
  assert.match(token, /^spanwarden_[\w-]{43}$/);
  const path = fileOf([stored('one', token)]);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.ok(!readFileSync(path, 'utf8').includes(token.slice('spanwarden_'.length)));
  changeTokenFile(path, (tokens) => tokens);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('each token counts for itself, and so do requests without one that is known', () => {
  const access = accessTo(fileOf([stored('one', 'token-1', { tenant: 'shop' }), stored('two', 'token-2')]), {
    bearerToken: 'token-of-the-config',
  });
  assert.deepEqual(
    ['token-1', 'token-1', 'token-2', 'token-3', 'token-of-the-config'].map((token) => admit(access, token)),
    ['in', 'in', 'in', unknown, 'in'],
  );
  assert.equal(access.admit(undefined)?.code, unknown);
  assert.equal(access.admit('Basic token-1')?.code, unknown);
  assert.deepEqual(
    access.counts().map(({ token, tenant, counts }) => [token, tenant, counts]),
    [
      ['', '', { unknown: 1, missing: 2 }],
      ['one', 'shop', { accepted: 2 }],
      ['two', '', { accepted: 1 }],
      ['bearer_token', '', { accepted: 1 }],
    ],
  );
});

test('a token is taken until the moment it expires', () => {
  const access = accessTo(fileOf([stored('one', 'token-1', { expires: '2026-11-28T12:01:00.000Z' })]));
  nowMs = startMs + 59_999;
  assert.equal(admit(access, 'token-1'), 'in');
  nowMs++;
  assert.match(access.admit('Bearer token-1')!.message, /expired/);
  assert.deepEqual(access.counts()[1]!.counts, { accepted: 1, expired: 1 });
});

test('over its rate a token waits, the others do not; reading the file again gives nothing back', () => {
  const tokens = [stored('slow', 'token-1', { requests_per_second: 2 }), stored('free', 'token-2')];
  const path = fileOf(tokens);
  const access = accessTo(path);
  assert.deepEqual(
    [1, 2, 3].map(() => admit(access, 'token-1')),
    ['in', 'in', 'SW_RECEIVE_RATE'],
  );
  assert.equal(admit(access, 'token-2'), 'in');
  nowMs += 100;
  access.reload();
  const refusal = access.admit('Bearer token-1')!;
  assert.ok(refusal.status === 'retryable' && refusal.retryAfterMs === 400, 'half a second after the second request');
  nowMs += 400;
  assert.equal(admit(access, 'token-1'), 'in');
  assert.equal(admit(access, 'token-1'), 'SW_RECEIVE_RATE');
  changeTokenFile(path, () => [stored('slow', 'token-1', { requests_per_second: 10 }), tokens[1]!]);
  access.reload();
  assert.equal(admit(access, 'token-1'), 'in', 'another rate starts anew');
});

test('rotation: old and new token together, then the old one is revoked', () => {
  const path = fileOf([stored('old', 'token-1')]);
  const access = accessTo(path);
  changeTokenFile(path, (tokens) => [...tokens, stored('new', 'token-2')]);
  access.reload();
  assert.deepEqual([admit(access, 'token-1'), admit(access, 'token-2')], ['in', 'in']);
  changeTokenFile(path, (tokens) => tokens.filter(({ name }) => name !== 'old'));
  access.reload();
  assert.deepEqual([admit(access, 'token-1'), admit(access, 'token-2')], [unknown, 'in']);
  changeTokenFile(path, () => []);
  access.reload();
  assert.equal(admit(access, 'token-2'), unknown, 'no token at all lets nobody in');
  assert.equal(access.admit(undefined)?.code, unknown);
});

const damages: Readonly<Record<string, string>> = {
  'no JSON': '{',
  empty: '',
  'another version': '{"version":2,"tokens":[]}',
  'an unknown key': '{"version":1,"tokens":[],"x":1}',
  'a short hash': JSON.stringify({ version: 1, tokens: [{ name: 'a', sha256: 'ab', created }] }),
  'a name twice': JSON.stringify({ version: 1, tokens: [stored('a', '1'), stored('a', '2')] }),
  'a hash twice': JSON.stringify({ version: 1, tokens: [stored('a', '1'), stored('b', '1')] }),
  'a hostile name': JSON.stringify({ version: 1, tokens: [stored('a"\n', '1')] }),
  'a date that is none': JSON.stringify({ version: 1, tokens: [stored('a', '1', { expires: 'never' })] }),
  'no rate': JSON.stringify({ version: 1, tokens: [stored('a', '1', { requests_per_second: 0 })] }),
};

for (const [what, text] of Object.entries(damages)) {
  test(`a damaged file (${what}) stops a start, and leaves a running collector its tokens`, () => {
    const path = fileOf([stored('one', 'token-1')]);
    const access = accessTo(path);
    writeFileSync(path, text);
    assert.throws(() => accessTo(path), SpanwardenError);
    assert.throws(() => accessTo(path, { required: false }), SpanwardenError);
    assert.equal(access.reload()[0]!.code, 'SW_TOKEN_FILE');
    assert.deepEqual([admit(access, 'token-1'), admit(access, '1')], ['in', unknown]);
    assert.match(access.problem!.message, /cannot be used/);
    rmSync(path);
    changeTokenFile(path, () => [stored('two', 'token-2')]);
    assert.deepEqual(access.reload(), []);
    assert.deepEqual([access.problem, admit(access, 'token-1'), admit(access, 'token-2')], [undefined, unknown, 'in']);
  });
}

test('a file that is gone opens nothing: a named one stops the start, a known one is remembered', () => {
  const path = join(directory, 'not-there.json');
  assert.throws(() => accessTo(path), /is not there/);
  const access = accessTo(path, { required: false });
  assert.equal(access.admit(undefined), undefined, 'nobody wants tokens yet');
  assert.deepEqual(access.reload(), []);
  changeTokenFile(path, () => [stored('one', 'token-1')]);
  access.reload();
  assert.equal(access.admit(undefined)?.code, unknown, 'from the first token on');
  rmSync(path);
  assert.match(access.reload()[0]!.message, /is not there/);
  assert.deepEqual([admit(access, 'token-1'), access.admit(undefined)?.code], ['in', unknown]);
});

test('files are only read again for the token of the config, or where everybody may send', () => {
  const path = fileOf([stored('one', 'token-1')]);
  const both = accessTo(path, { bearerToken: 'token-of-the-config' });
  assert.deepEqual(
    ['Bearer token-of-the-config', 'Bearer token-1', undefined].map((header) => both.mayManage(header)),
    [true, false, false],
  );
  assert.equal(accessTo(path).mayManage('Bearer token-1'), false);
  assert.equal(new Access({ bearerToken: undefined }).mayManage(undefined), true);
  assert.equal(new Access({ bearerToken: undefined, hasCertificates: true }).mayManage(undefined), false);
});

test('two commands cannot change the file at once, and a failed change leaves it as it was', () => {
  const path = fileOf([stored('one', 'token-1')]);
  changeTokenFile(path, (tokens) => {
    assert.throws(() => changeTokenFile(path, () => []), /another command/);
    return tokens;
  });
  assert.throws(() =>
    changeTokenFile(path, () => {
      throw new Error('no');
    }),
  );
  assert.deepEqual(
    readTokenFile(path)!.map(({ name }) => name),
    ['one'],
  );
});
