import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Destination, DestinationContext } from '../../collector/src/export/contract.ts';
import { s3 } from '../../collector/src/export/destinations/s3.ts';
import { securityLake } from '../../collector/src/export/destinations/security-lake.ts';
import { findingEvent, hostileText, idOf, sampleId } from '../support/export-events.ts';
import { freePort } from '../support/free-port.ts';
import { assertDelivered, context, send } from '../support/receivers/opened.ts';
import { textsOf } from '../support/receivers/s3.ts';
import { Server } from './support/server.ts';
import { cacheFolder, lacking } from './support/tools.ts';

// The destinations s3 and security_lake against a gateway that checks signatures, hashes and times itself: versitygw, out of Go's module proxy.

const version = 'v1.8.0';
const binary = join(cacheFolder, `versitygw-${version}`, 'versitygw');
const keys = { id: 'AKIAIOSFODNN7EXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
const region = 'eu-central-1';
const bucket = 'security-data';

function install(): void {
  if (existsSync(binary)) return;
  const folder = join(binary, '..');
  mkdirSync(folder, { recursive: true });
  const { status, stderr } = spawnSync('go', ['install', `github.com/versity/versitygw/cmd/versitygw@${version}`], {
    ...{ env: { ...process.env, GOBIN: folder }, encoding: 'utf8', timeout: 800_000 },
  });
  if (status !== 0) throw new Error(`go install failed:\n${stderr}`);
}

describe('versitygw', { skip: lacking('go') }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'spanwarden-versitygw-'));
  const events = [1, 2, 3].map((number) => findingEvent(number, hostileText));
  const opened: Destination[] = [];
  let server: Server;
  let endpoint = '';

  before(async () => {
    install();
    for (const name of [`root/${bucket}`, 'sidecar']) mkdirSync(join(folder, name), { recursive: true });
    const address = `127.0.0.1:${await freePort()}`;
    endpoint = `http://${address}`;
    server = await Server.start({
      command: binary,
      args: [
        '--region',
        region,
        '--port',
        address,
        'posix',
        '--sidecar',
        join(folder, 'sidecar'),
        join(folder, 'root'),
      ],
      env: { ROOT_ACCESS_KEY: keys.id, ROOT_SECRET_KEY: keys.secret },
      ready: /service listening on/,
      readyMs: 30_000,
    });
  });
  after(async () => {
    for (const each of opened) await each.close();
    await server?.end('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(own: object, around: Partial<DestinationContext> = {}): Promise<Destination> {
    const settings = { endpoint, region, bucket, access_key_id: keys.id, secret_access_key: keys.secret, ...own };
    const inside = { ...context, ...around };
    const to =
      'account_id' in own
        ? await securityLake.open(securityLake.schema.parse({ type: 'security_lake', ...settings }), inside)
        : await s3.open(s3.schema.parse({ type: 's3', ...settings }), inside);
    opened.push(to);
    return to;
  }

  const objects = (): string[] => globSync('**/*.{gz,parquet}', { cwd: join(folder, 'root', bucket) }).sort();

  for (const [name, own, folders] of [
    ['NDJSON', { prefix: "it's/(all)_=*!/" }, /^it's\/\(all\)_=\*!\/dt=/],
    ['Parquet', { encoding: 'parquet', format: 'ocsf', prefix: 'columns/' }, /^columns\/dt=/],
    [
      'Security Lake',
      { account_id: 'external_lab' },
      /^ext\/spanwarden\/region=eu-central-1\/accountId=external_lab\/eventDay=\d{8}\//,
    ],
  ] as const) {
    test(`${name}: an object is there, is what was sent, and takes its own place when it is sent again`, async () => {
      const to = await open(own);
      const earlier = objects();
      for (const _ of [1, 2]) assertDelivered(await send(to, events));
      const [key = '', ...more] = objects().filter((each) => !earlier.includes(each));
      assert.deepEqual(more, []);
      assert.match(key, folders);
      const texts = await textsOf(key, readFileSync(join(folder, 'root', bucket, key)));
      assert.deepEqual(
        texts.map((text) => text.match(sampleId)?.[0]),
        events.map(idOf),
      );
    });
  }

  test('what it refuses is told as what it is', async () => {
    for (const [own, around, said] of [
      [{ secret_access_key: 'wrong-secret-0123456789' }, {}, /SignatureDoesNotMatch.*secret key is wrong/],
      [{ access_key_id: 'AKIDNOBODY' }, {}, /No user exists with the provided access key/],
      [{ bucket: 'nobodys-data' }, {}, /NoSuchBucket.*create the bucket/],
      [{ region: 'us-east-1' }, {}, /AuthorizationHeaderMalformed/],
      [{}, { now: () => Date.now() - 3_600_000 }, /RequestTimeTooSkewed.*is 3(600|599|601) s behind that of/],
    ] as const) {
      const outcome = await send(await open(own, around), events);
      assert.equal(outcome.status, 'misconfigured', JSON.stringify(outcome));
      assert.match((outcome as { reason: string }).reason, said);
    }
  });
});
