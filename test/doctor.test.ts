import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { cliOf } from './support/cli.ts';
import { CollectorProcess, createHome, eventually } from './support/collector-process.ts';
import { freePort } from './support/free-port.ts';

/** `spanwarden doctor` before, during and after the life of a collector, and in front of a stranger. */

interface Report {
  readonly healthy: boolean;
  readonly checks: readonly { name: string; result: string; seen: string; advice?: string }[];
}

const port = await freePort();
const home = createHome(
  `receive: { http: { listen: "127.0.0.1:${port}" }, grpc: { listen: "127.0.0.1:${await freePort()}" }, bearer_token: "0123456789abcdef" }\n` +
    'spool: { segment_age_max_ms: 100, bytes_max: 67108864 }\n',
);
const doctor = cliOf(home, 'doctor');
after(() => home.remove());

function report(): Report & { readonly code: number | null; readonly results: Readonly<Record<string, string>> } {
  const { code, stdout, stderr } = doctor('--json');
  assert.equal(stderr, '');
  const found = JSON.parse(stdout) as Report;
  return { ...found, code, results: Object.fromEntries(found.checks.map(({ name, result }) => [name, result])) };
}

test('each hop is looked at, and what is wrong is said with what to do', async () => {
  const before = report();
  assert.deepEqual([before.code, before.healthy], [1, false]);
  assert.equal(before.results['OTLP/HTTP'], 'failed');
  assert.match(before.checks.find(({ name }) => name === 'OTLP/HTTP')!.advice!, /spanwarden serve/);

  const collector = await CollectorProcess.start(home);
  after(() => collector.end('SIGKILL'));
  // A collector takes spans before its tables are there; the doctor rightly calls it not ready until then.
  const during = await eventually('a healthy collector', async () => {
    const found = report();
    return found.code === 0 ? found : undefined;
  });
  assert.deepEqual(
    during.checks.filter(({ result }) => result !== 'ok'),
    [],
  );
  for (const name of ['token', 'readiness', 'OTLP/gRPC', 'schema', 'canary, acknowledged', 'canary, stored']) {
    assert.equal(during.results[name], 'ok', name);
  }
  assert.equal(during.code, 0);
  assert.match(doctor().stdout, /^ok {7}canary, stored +in ClickHouse after \d+ ms$/m);

  const config = readFileSync(home.configFile, 'utf8');
  writeFileSync(home.configFile, config.replace('0123456789abcdef', 'another token here'));
  const mistaken = report();
  assert.deepEqual([mistaken.code, mistaken.results.token], [1, 'failed']);
  assert.equal(mistaken.results['canary, acknowledged'], 'failed');
  writeFileSync(home.configFile, config);
  assert.equal(await collector.end('SIGTERM'), 0);
});

test('something else on the port is told from a collector', async () => {
  // A process of its own: this one waits for the command.
  const source = `require('node:http').createServer((_, r) => r.end('hello')).listen(${port}, '127.0.0.1', () => console.log('up'))`;
  const stranger = spawn(process.execPath, ['-e', source], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(stranger.stdout, 'data');
  const { code, checks } = report();
  stranger.kill();
  assert.equal(code, 1);
  assert.match(checks.find(({ name }) => name === 'OTLP/HTTP')!.seen, /answers 200, not as a collector/);
});
