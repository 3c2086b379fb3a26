import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import type { SendOutcome } from '../collector/src/export/contract.ts';
import { systemClock } from '../collector/src/export/delivery/clock.ts';
import { CursorKeeper } from '../collector/src/export/delivery/cursor-keeper.ts';
import { DeadLetters } from '../collector/src/export/delivery/dead-letters.ts';
import { Delivery } from '../collector/src/export/delivery/delivery.ts';
import { type Disk, memoryFiles } from '../collector/src/export/testing/memory-files.ts';
import { MemoryEventSource } from '../collector/src/export/testing/memory-source.ts';
import type { ExportEvent } from '../collector/src/model/export-event.ts';
import { caseEvent, findingEvent, idOf } from './support/export-events.ts';
import { assertDelivered, opened, send } from './support/receivers/opened.ts';
import { rowsOf, type S3Receiver } from './support/receivers/s3.ts';
import { role } from './support/receivers/sts.ts';
import { type Subject, subjectNamed } from './support/receivers/subjects.ts';

// What S3 has of its own. What all destinations have is in export-contract.test.ts.

const three = [1, 2, 3].map((number) => findingEvent(number));
const s3 = subjectNamed('s3, ndjson');
const lake = subjectNamed('security_lake');

const folder = mkdtempSync(join(tmpdir(), 'spanwarden-s3-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function open(subject: Subject, own: object | ((origin: string) => object) = {}) {
  return opened<S3Receiver>(subject, own);
}

function reasonOf(outcome: SendOutcome): string {
  return outcome.status === 'delivered' ? outcome.answer : outcome.reason;
}

test('objects lie in folders of the hour, and of what Security Lake demands', async () => {
  const inHour = /^spanwarden\/dt=2026-09-21\/hour=14\/20260921T141320Z-[0-9a-f]{32}\.ndjson\.gz$/;
  const ofDay =
    /^ext\/spanwarden\/region=eu-central-1\/accountId=123456789012\/eventDay=20260921\/20260921T141320Z-[0-9a-f]{32}\.parquet$/;
  for (const [subject, wanted] of [
    [s3, inHour],
    [lake, ofDay],
  ] as const) {
    const { receiver, to } = await open(subject);
    const outcome = await send(to, three);
    assertDelivered(outcome);
    const [key] = receiver.objects.keys();
    assert.match(key ?? '', wanted);
    assert.equal(reasonOf(outcome), `HTTP 200: ${key}`);
  }
});

test('an object says what it is, with a checksum, and with the encryption that is asked for', async () => {
  const encryption = { server_side_encryption: 'aws:kms', kms_key_id: 'alias/security' };
  const { receiver, to } = await open(s3, { ...encryption, prefix: "it's/(all) =*!/".replace(' ', '_') });
  assertDelivered(await send(to, three));
  const [[key, { body, headers }] = assert.fail()] = receiver.objects;
  assert.ok(key.startsWith("it's/(all)_=*!/dt="));
  assert.equal(gunzipSync(body).toString().split('\n').length, 4);
  assert.equal(headers['content-type'], 'application/gzip');
  assert.equal(headers['content-encoding'], undefined);
  assert.equal(headers['x-amz-server-side-encryption'], 'aws:kms');
  assert.equal(headers['x-amz-server-side-encryption-aws-kms-key-id'], 'alias/security');
  assert.match(String(headers['x-amz-checksum-sha256']), /^[A-Za-z0-9+/]{43}=$/);
});

test('security_lake: rows are of OCSF 1.1, and in order of time', async () => {
  const { receiver, to } = await open(lake);
  const events: ExportEvent[] = [caseEvent(1), findingEvent(2), findingEvent(3)];
  const shuffled = [3, 1, 2].map((second, index) => ({
    ...events[index]!,
    takenMs: 1_790_000_000_000 + second * 1000,
  }));
  assertDelivered(await send(to, shuffled));
  const rows = await rowsOf([...receiver.objects.values()][0]!.body);
  assert.deepEqual(
    rows.map(({ time, class_uid, metadata }) => [
      Number(time) % 1_000_000,
      class_uid,
      (metadata as { version: string }).version,
    ]),
    [1000, 2000, 3000].map((time) => [time, 2004, '1.1.0']),
  );
});

test('whatever S3 answers, events wait for what passes, and people are told what to do about the rest', async () => {
  const { receiver, to } = await open(s3);
  const region = '<Region>us-west-2</Region>';
  const cases: readonly (readonly [NonNullable<S3Receiver['error']>, SendOutcome['status'], RegExp])[] = [
    [{ status: 503, code: 'SlowDown' }, 'retryable', /503 .*SlowDown: Please reduce your request rate/],
    [{ status: 500, code: 'InternalError' }, 'retryable', /InternalError/],
    [{ status: 400, code: 'RequestTimeout' }, 'retryable', /RequestTimeout/],
    [{ status: 400, code: 'BadDigest' }, 'retryable', /BadDigest/],
    [{ status: 409, code: 'OperationAborted' }, 'retryable', /OperationAborted/],
    [{ status: 400, code: 'EntityTooLarge' }, 'too_large', /EntityTooLarge/],
    [{ status: 403, code: 'AccessDenied' }, 'misconfigured', /Access Denied: the credentials need s3:PutObject/],
    [{ status: 403, code: 'InvalidAccessKeyId' }, 'misconfigured', /does not exist in our records/],
    [{ status: 404, code: 'NoSuchBucket' }, 'misconfigured', /create the bucket/],
    [{ status: 400, code: 'ExpiredToken' }, 'misconfigured', /temporary credentials have ended/],
    [{ status: 400, code: 'SomethingNew' }, 'misconfigured', /400 .*SomethingNew/],
    [{ status: 422, code: 'SomethingNew' }, 'misconfigured', /422/],
    [{ status: 400, code: 'AuthorizationHeaderMalformed', more: region }, 'misconfigured', /set region to us-west-2/],
    [
      { status: 301, code: 'PermanentRedirect', region: 'us-west-2' },
      'misconfigured',
      /another region: set region to us-west-2/,
    ],
    [
      { status: 307, code: 'TemporaryRedirect', region: 'us-west-2' },
      'misconfigured',
      /another region: set region to us-west-2/,
    ],
    [{ status: 200, code: 'Welcome' }, 'misconfigured', /200 without an ETag/],
  ];
  for (const [error, status, said] of cases) {
    receiver.error = error;
    const outcome = await send(to, three);
    assert.equal(outcome.status, status, JSON.stringify([error, outcome]));
    assert.match(reasonOf(outcome), said);
  }
  receiver.error = undefined;
  assertDelivered(await send(to, three));
});

test('a clock that is off is told with how far', async () => {
  for (const [ahead, words] of [
    [3600, /3(600|599) s behind that of 127/],
    [-3600, /360[01] s ahead of that of 127/],
  ] as const) {
    const { receiver, to } = await open(s3);
    receiver.clockAheadSeconds = ahead;
    const outcome = await send(to, three);
    assert.equal(outcome.status, 'misconfigured');
    assert.match(reasonOf(outcome), /RequestTimeTooSkewed/);
    assert.match(reasonOf(outcome), words);
    receiver.clockAheadSeconds = ahead / 10;
    assertDelivered(await send(to, three));
  }
});

test('another bucket and another region are the setup', async () => {
  for (const [own, said] of [
    [{ bucket: 'other-data' }, /NoSuchBucket/],
    [{ region: 'us-east-1' }, /set region to eu-central-1/],
  ] as const) {
    const outcome = await send((await open(s3, own)).to, three);
    assert.equal(outcome.status, 'misconfigured');
    assert.match(reasonOf(outcome), said);
  }
});

/** Settings in place of the keys of the receiver. */
const keyless = { access_key_id: undefined, secret_access_key: undefined };

function writtenToken(name: string, token: string): string {
  const path = join(folder, name);
  writeFileSync(path, `${token}\n`);
  return path;
}

const credentials: Readonly<Record<string, (origin: string) => object>> = {
  'a role with an external id': (origin) => ({ role_arn: role.arn, external_id: role.externalId, sts_url: origin }),
  'a web identity': (origin) => ({
    ...{ ...keyless, role_arn: role.arn, sts_url: origin },
    web_identity_token_file: writtenToken('web', role.webToken),
  }),
  'a container': (origin) => ({
    ...{ ...keyless, container_credentials_url: `${origin}/container` },
    container_token_file: writtenToken('container', role.containerToken),
  }),
  'an instance': (origin) => ({ ...keyless, instance_credentials: true, metadata_url: origin }),
};

for (const [name, own] of Object.entries(credentials)) {
  test(`credentials of ${name} are got once, and again when they have ended`, async () => {
    const { receiver, to } = await open(s3, own);
    for (const _ of [1, 2]) assertDelivered(await send(to, three));
    assert.equal(receiver.given, 1);
    receiver.ended.add('session-token-1==');
    assertDelivered(await send(to, three.slice(1)));
    assert.equal(receiver.given, 2);
    assert.equal(receiver.objects.size, 2);
  });
}

test('a role on top of what a container gives', async () => {
  const { receiver, to } = await open(lake, (origin) => ({
    ...credentials['a container']?.(origin),
    ...{ role_arn: role.arn, external_id: role.externalId, sts_url: origin },
  }));
  assertDelivered(await send(to, three));
  assert.equal(receiver.given, 2);
});

test('credentials that are not given are the setup, and no token shows', async () => {
  const wrong: readonly (readonly [(origin: string) => object, RegExp])[] = [
    [
      (origin) => ({ role_arn: role.arn, external_id: 'another', sts_url: origin }),
      /no AWS credentials from 127.*AccessDenied/,
    ],
    [
      (origin) => ({
        ...credentials['a web identity']?.(origin),
        web_identity_token_file: writtenToken('w', 'wrong-secret-1'),
      }),
      /InvalidIdentityToken/,
    ],
    [
      (origin) => ({ ...credentials['a web identity']?.(origin), web_identity_token_file: join(folder, 'none') }),
      /ENOENT/,
    ],
    [
      (origin) => ({
        ...credentials['a container']?.(origin),
        container_token_file: writtenToken('c', 'wrong-secret-1'),
      }),
      /401/,
    ],
    [
      (origin) => ({ ...credentials['a container']?.(origin), container_token_file: writtenToken('e', '') }),
      /holds no token/,
    ],
  ];
  for (const [own, said] of wrong) {
    const { receiver, to } = await open(s3, own);
    const outcome = await send(to, three);
    assert.equal(outcome.status, 'misconfigured', JSON.stringify(outcome));
    assert.match(reasonOf(outcome), said);
    assert.doesNotMatch(reasonOf(outcome), /wrong-secret/);
    assert.equal(receiver.objects.size, 0);
  }
  const roleless = await open(s3, credentials['an instance']);
  roleless.receiver.hasRole = false;
  assert.match(reasonOf(await send(roleless.to, three)), /HTTP 404; has the instance a role/);
  const gone = await open(s3, { role_arn: role.arn, sts_url: 'http://127.0.0.1:9' });
  assert.equal((await send(gone.to, three)).status, 'retryable');
});

test('settings that do not go together stop the opening', async () => {
  const wrong: readonly object[] = [
    keyless,
    { secret_access_key: undefined },
    { instance_credentials: true },
    { external_id: 'x1' },
    { ...keyless, web_identity_token_file: 'token' },
    { ...keyless, session_token: 'token' },
  ];
  for (const own of wrong) {
    await assert.rejects(async () => open(s3, own), /needs credentials of one kind/);
  }
  await assert.rejects(async () => open(s3, { encoding: 'parquet' }), /set format: ocsf/);
  await assert.rejects(async () => open(s3, { prefix: 'a/../b/' }), /prefix|folders/);
});

test('a process that is killed before it noted what S3 has writes the same objects once more', async () => {
  const { receiver, to } = await open(s3);
  const events = Array.from({ length: 25 }, (_, index) => ({
    ...findingEvent(index + 1),
    takenMs: 1_790_000_000_000 + Math.floor(index / 10) * 500,
  }));
  const disk: Disk = new Map();
  // The first process gets them as they come to be; the second finds all of them.
  for (const parts of [[events.slice(0, 10), events.slice(10, 20), events.slice(20)], [events]]) {
    const dies = parts.length > 1;
    const source = new MemoryEventSource();
    let isStuck = false;
    const files = memoryFiles(disk, () => (isStuck ? new Promise(() => undefined) : Promise.resolve()));
    const delivery = new Delivery({
      ...{ name: 'siem', source, destination: to, clock: systemClock, lanes: 1, prepare: (event) => event },
      cursor: await CursorKeeper.open({ name: 'siem', files, head: -1, from: 'oldest', clock: systemClock }),
      deadLetters: await DeadLetters.open(files),
      batch: { eventsMax: 1000, bytesMax: 1_000_000, lingerMs: 500 },
      window: { eventsMax: 4096, bytesMax: 10_000_000 },
    });
    isStuck = dies;
    void delivery.run();
    let added = 0;
    for (const part of parts) {
      source.add(part);
      added += part.length;
      while (delivery.counts.delivered < added) await setTimeout(20);
    }
    if (!dies) await delivery.stop(1000);
  }
  const puts = receiver.requests.length;
  assert.equal(receiver.objects.size, 3);
  assert.equal(puts, 6);
  assert.deepEqual(receiver.held, events.map(idOf));
});

test('an object that is there although its answer was cut takes the place of itself', async () => {
  const { receiver, to } = await open(lake);
  receiver.fault = 'cut';
  assert.equal((await send(to, three)).status, 'retryable');
  assert.equal(receiver.objects.size, 1);
  receiver.fault = undefined;
  assertDelivered(await send(to, three));
  assert.equal(receiver.objects.size, 1);
  assert.deepEqual(receiver.held, three.map(idOf));
});

test('a connection that ends in the middle of an object is nothing but a reason to try again', async () => {
  let bytes = 0;
  const server = createServer((socket) => {
    socket
      .on('error', () => undefined)
      .on('data', (chunk) => {
        bytes += chunk.length;
        socket.destroy();
      });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => server.close());
  const { to } = await open(s3, { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  // Texts that gzip cannot make small.
  const events = Array.from({ length: 200 }, (_, index) =>
    findingEvent(index + 1, randomBytes(16_000).toString('hex')),
  );
  const outcome = await send(to, events);
  assert.equal(outcome.status, 'retryable');
  assert.match(reasonOf(outcome), /ECONNRESET|EPIPE/);
  assert.ok(bytes > 0 && bytes < 3_000_000, `${bytes} bytes`);
});
