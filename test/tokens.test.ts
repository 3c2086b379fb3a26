import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { GrpcClient } from '../collector/src/otlp-check/grpc-client.ts';
import { cliOf } from './support/cli.ts';
import { CollectorProcess, createHome, eventually } from './support/collector-process.ts';

/** Tokens made, used over both transports, limited, expired and revoked while a collector runs. */

const grpcTraces = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
const home = createHome();
const token = cliOf(home, 'token');
const tokenFile = join(home.dataDir, 'tokens.json');
let grpc: GrpcClient | undefined;
after(() => {
  grpc?.close();
  home.remove();
});

const made = (...args: readonly string[]): string => {
  const { code, stdout, stderr } = token('create', ...args);
  assert.equal(code, 0, stderr);
  return stdout.trim();
};

test('a sender comes in with its token, within its rate and until it is revoked, over HTTP and gRPC', async () => {
  const first = made('--name', 'first', '--tenant', 'shop');
  assert.equal(statSync(tokenFile).mode & 0o777, 0o600);
  const collector = await CollectorProcess.start(home);
  grpc = new GrpcClient(collector.grpcUrl);

  const http = (key: string) =>
    fetch(`${collector.url}/v1/traces`, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    });
  const overGrpc = (key: string) => grpc!.call(grpcTraces, Buffer.alloc(0), { authorization: `Bearer ${key}` });
  const both = async (key: string) => [(await http(key)).status, (await overGrpc(key)).code];
  const soon = (what: string, key: string, wanted: readonly number[]) =>
    eventually(what, async () => ((await both(key)).join() === wanted.join() ? true : undefined), 10_000);

  assert.deepEqual(await both(first), [200, 0]);
  assert.deepEqual(await both('nobody'), [401, 16]);

  const second = made('--name', 'second', '--expires', '90d');
  await soon('a new token is taken', second, [200, 0]);
  assert.deepEqual(await both(first), [200, 0]);

  const slow = made('--name', 'slow', '--requests-per-second', '0.01');
  await eventually(
    'the slow token is taken',
    async () => ((await http(slow)).status === 200 ? true : undefined),
    10_000,
  );
  const limited = await http(slow);
  assert.equal(limited.status, 429);
  assert.ok(Number(limited.headers.get('retry-after')) > 50);
  assert.match(await limited.text(), /SW_RECEIVE_RATE.*RetryInfo/);
  const answer = await overGrpc(slow);
  assert.deepEqual([answer.code, answer.status?.details], [8, ['RetryInfo']]);

  const listed = JSON.parse(token('list', '--json').stdout) as { name: string }[];
  assert.deepEqual(
    listed.map(({ name }) => name),
    ['first', 'second', 'slow'],
  );
  const page = token('list').stdout;
  assert.match(page, /slow +– +0\.01\/s/);
  assert.ok(!page.includes(first) && !JSON.stringify(listed).includes('sha256'));

  assert.equal(token('revoke', 'first').code, 0);
  await soon('the revoked token is refused', first, [401, 16]);
  assert.deepEqual(await both(second), [200, 0]);

  writeFileSync(tokenFile, '{');
  await eventually('damage is said', async () => (/tokens cannot be read/.test(collector.log) ? true : undefined));
  assert.deepEqual(await both(second), [200, 0]);
  const ready = (await (await fetch(`${collector.url}/readyz`)).json()) as { warnings: string[] };
  assert.match(ready.warnings.join(), /the newest tokens were refused.*not JSON/);
  const metrics = await (await fetch(`${collector.url}/metrics`)).text();
  assert.match(metrics, /spanwarden_receive_token_requests_total\{token="slow",tenant="",outcome="limited"\} 2/);
  assert.match(metrics, /spanwarden_receive_token_requests_total\{token="",tenant="",outcome="unknown"\} \d/);
  const reload = await fetch(`${collector.url}/-/reload`, {
    method: 'POST',
    headers: { authorization: `Bearer ${second}` },
  });
  assert.equal(reload.status, 401);
  assert.equal(await collector.end('SIGTERM'), 0);

  await assert.rejects(CollectorProcess.start(home), /SW_TOKEN_FILE/);
});

test('what cannot be made or revoked is said', () => {
  writeFileSync(tokenFile, '{"version":1,"tokens":[]}');
  assert.equal(token('create', '--name', 'a').code, 0);
  const again = token('create', '--name', 'a');
  assert.deepEqual([again.code, again.stdout], [1, '']);
  assert.match(again.stderr, /there is a token a already/);
  assert.match(token('revoke', 'b').stderr, /there is no token b/);
  for (const args of [
    ['--name', 'A b'],
    ['--name', 'x', '--expires', 'soon'],
    ['--name', 'x', '--requests-per-second', '0'],
  ]) {
    assert.equal(token('create', ...args).code, 2, args.join(' '));
  }
});
