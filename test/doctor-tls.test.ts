import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createAuthority } from '../collector/src/receive/testing/certificates.ts';
import { cliOf } from './support/cli.ts';
import { CollectorProcess, createHome, eventually } from './support/collector-process.ts';
import { freePort } from './support/free-port.ts';

/** `spanwarden doctor` in front of a collector with TLS, and with tokens of which it finds the hashes only. */

const authority = await createAuthority('servers');
const home = createHome(
  `receive: { http: { listen: "127.0.0.1:${await freePort()}" }, grpc: { listen: "127.0.0.1:${await freePort()}" }, ` +
    'tls: { cert_file: "CERT", key_file: "KEY" } }\n' +
    'spool: { segment_age_max_ms: 100, bytes_max: 67108864 }\n',
);
const files = { cert: join(home.directory, 'tls.crt'), key: join(home.directory, 'tls.key') };
const config = readFileSync(home.configFile, 'utf8').replace('CERT', files.cert).replace('KEY', files.key);
writeFileSync(home.configFile, config);
const first = await authority.issue('collector');
writeFileSync(files.cert, first.cert);
writeFileSync(files.key, first.key);
const doctor = cliOf(home, 'doctor', '--json');
after(() => home.remove());

interface Line {
  readonly name: string;
  readonly result: string;
  readonly advice?: string;
}

function report(...args: readonly string[]) {
  const { code, stdout } = doctor(...args);
  const { checks } = JSON.parse(stdout) as { checks: readonly Line[] };
  const results = Object.fromEntries(checks.map(({ name, result }) => [name, result]));
  return { code, results, advice: checks.find(({ result }) => result === 'failed')?.advice ?? '' };
}

test('it trusts the certificate of the config, and sends with the token that it is given', async () => {
  const token = cliOf(home, 'token', 'create', '--name')('doctor').stdout.trim();
  const collector = await CollectorProcess.start(home);
  after(() => collector.end('SIGKILL'));

  // Its tables are not there at once.
  const without = await eventually('a healthy collector', async () => {
    const found = report();
    return found.code === 0 ? found : undefined;
  });
  assert.deepEqual([without.code, without.results.token, without.results.canary], [0, 'skipped', 'skipped']);
  assert.deepEqual([without.results['OTLP/HTTP'], without.results['OTLP/gRPC']], ['ok', 'ok']);

  process.env.SPANWARDEN_TOKEN = token;
  const given = report();
  delete process.env.SPANWARDEN_TOKEN;
  assert.deepEqual([given.code, given.results.token, given.results['canary, stored']], [0, 'ok', 'ok']);
  const wrong = report('--token', 'another');
  assert.deepEqual([wrong.code, wrong.results.token], [1, 'failed']);
  assert.match(wrong.advice, /token list/);

  writeFileSync(files.cert, (await authority.issue('collector')).cert);
  const stale = report('--token', token);
  assert.deepEqual([stale.code, stale.results['OTLP/HTTP']], [1, 'failed']);
  assert.match(stale.advice, /Another certificate is served/);

  writeFileSync(files.cert, first.cert);
  writeFileSync(home.configFile, config.replace('tls: {', `tls: { client_ca_file: "${files.cert}",`));
  const mutual = report();
  assert.equal(mutual.results['OTLP/HTTP, readiness, token, clock'], 'skipped');
  assert.equal(mutual.results.canary, 'skipped');
  rmSync(files.cert);
  writeFileSync(home.configFile, config);
  assert.equal(report().results.certificate, 'failed');
  assert.equal(await collector.end('SIGTERM'), 0);
});
