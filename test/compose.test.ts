import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createClient } from '@clickhouse/client';
import { parse } from 'yaml';
import { clickhouseConfigSchema } from '../collector/src/store/config.ts';
import { openStore, type Store } from '../collector/src/store/index.ts';
import { otlpProtobuf } from '../collector/src/testing/otlp.ts';
import { repositoryRoot } from '../scripts/repository.ts';
import { main } from './support/cli.ts';
import { CollectorProcess, eventually } from './support/collector-process.ts';

const folder = join(repositoryRoot, 'deploy/compose');
const read = (path: string): string => readFileSync(path, 'utf8');

interface Service {
  readonly image: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: object;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
}

describe('docker-compose.yml', () => {
  const file = parse(read(join(folder, 'docker-compose.yml')), { merge: true });
  const services: Record<string, Service> = file.services;

  test('publishes on loopback alone, and not ClickHouse', () => {
    for (const [name, { ports = [] }] of Object.entries(services)) {
      for (const port of ports) assert.match(port, /^127\.0\.0\.1:\d+:\d+$/, name);
    }
    assert.equal(services['clickhouse']!.ports, undefined);
  });

  test('every volume is used and declared, and no file of the machine but the two beside it', () => {
    const places = Object.values(services).flatMap(({ volumes = [] }) =>
      volumes.map((volume) => volume.split(':')[0]!),
    );
    const named = places.filter((place) => !place.startsWith('.'));
    assert.deepEqual([...new Set(named)].sort(), Object.keys(file.volumes).sort());
    for (const place of places.filter((each) => each.startsWith('.')))
      assert.ok(statSync(join(folder, place)).isFile());
  });

  test('images are of one version, and no password stands in it', () => {
    for (const { image, environment = {} } of Object.values(services)) {
      assert.match(image, /:\d+\.\d+/);
      for (const [name, value] of Object.entries(environment)) {
        if (/PASSWORD|TOKEN|SECRET/.test(name)) assert.match(value, /^\//, name);
      }
    }
    const { version } = JSON.parse(read(join(repositoryRoot, 'collector/package.json')));
    assert.equal(services['collector']!.image, `spanwarden:${version}`);
    const dockerfile = read(join(repositoryRoot, 'deploy/Dockerfile'));
    const { devDependencies } = JSON.parse(read(join(repositoryRoot, 'package.json')));
    assert.deepEqual(
      [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image),
      Array(2).fill(`node:${devDependencies.node}-slim`),
    );
    for (const [, packed] of dockerfile.matchAll(/spanwarden(?:-instrumentation)?-(\S+)\.tgz/g))
      assert.equal(packed, version);
  });

  test('what is waited for is there and says when it is ready', () => {
    for (const { depends_on: waits = {} } of Object.values(services)) {
      for (const [name, { condition }] of Object.entries(waits)) {
        const service = services[name];
        assert.ok(service, name);
        if (condition === 'service_healthy') assert.ok(service.healthcheck, `${name} has no health check`);
      }
    }
  });

  test('what we have made runs without rights and cannot change its image', () => {
    for (const name of ['setup', 'collector']) {
      assert.deepEqual([services[name]!.read_only, services[name]!.cap_drop], [true, ['ALL']]);
    }
    assert.match(read(join(repositoryRoot, 'deploy/Dockerfile')), /^USER 1000:1000$/m);
  });
});

/** What the containers would do, without containers: the same script, accounts and config, on the ClickHouse that is here. */
describe('what it sets up', () => {
  let directory: string;
  let setup: string;
  let store: Store;
  let collector: CollectorProcess;
  const of = (path: string) => read(join(setup, path)).trim();

  function runSetup(): void {
    const env = {
      ...process.env,
      SETUP_DIR: setup,
      PATH: [join(directory, 'bin'), dirname(process.execPath), process.env['PATH']].join(delimiter),
    };
    const { status, stderr } = spawnSync('sh', [join(folder, 'setup.sh')], { cwd: directory, env, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  }

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'spanwarden-compose-'));
    setup = join(directory, 'setup');
    for (const name of ['setup/clickhouse', 'setup/collector', 'setup/grafana', 'bin'])
      mkdirSync(join(directory, name), { recursive: true });
    const program = join(directory, 'bin/spanwarden');
    writeFileSync(program, `#!/bin/sh\nexec node ${main} "$@"\n`);
    chmodSync(program, 0o755);
    runSetup();
    // Where the image of ClickHouse has conf.d, beside users.xml.
    const dataDir = join(directory, 'clickhouse');
    cpSync(join(setup, 'clickhouse'), join(dataDir, 'clickhouse/conf.d'), { recursive: true });
    store = await openStore(clickhouseConfigSchema.parse({ database: 'other' }), { dataDir });
  });
  after(async () => {
    await collector?.end('SIGTERM');
    await store?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  test('once again it keeps what is secret', () => {
    const files = [
      'collector/token',
      'collector/clickhouse-password',
      'grafana/admin-password',
      'grafana/clickhouse-password',
    ];
    const before = files.map(of);
    for (const value of before) assert.match(value, /^[\w-]{43}$/);
    assert.equal(new Set(before).size, files.length);
    const account = of('clickhouse/grafana.xml');
    runSetup();
    assert.deepEqual(files.map(of), before);
    assert.equal(of('clickhouse/grafana.xml'), account);
    for (const file of files) assert.equal(statSync(join(setup, file)).mode & 0o777, 0o644, file);
    assert.deepEqual(globSync('**/*.new', { cwd: setup }), []);
  });

  test('the collector starts with its account, takes spans with its token alone, and stores them', async () => {
    const configFile = join(directory, 'spanwarden.yaml');
    const config = read(join(folder, 'spanwarden.yaml'))
      .replaceAll('/run/spanwarden', join(setup, 'collector'))
      .replace('/var/lib/spanwarden', join(directory, 'data'))
      .replace('http://clickhouse:8123', store.endpoints.url)
      .replaceAll(/0\.0\.0\.0:\d+/g, '127.0.0.1:0');
    writeFileSync(configFile, `${config}log: { level: warn }\n`);
    collector = await CollectorProcess.start({
      ...{ directory, dataDir: join(directory, 'data'), configFile, remove: () => undefined },
    });
    const send = async (token: string) => {
      const headers = { 'content-type': 'application/x-protobuf', authorization: `Bearer ${token}` };
      const body = otlpProtobuf([{ name: 'a' }]) as never;
      return (await fetch(`${collector.url}/v1/traces`, { method: 'POST', body, headers })).status;
    };
    assert.deepEqual([await send('another-token-of-16'), await send(of('collector/token'))], [401, 200]);
    await eventually('it is ready', async () => (await fetch(`${collector.url}/readyz`)).ok || undefined);
    const said = collector.log
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).msg);
    assert.deepEqual(said, ['requests are refused'], collector.log);
  });

  test('Grafana reads the spans with its account', async () => {
    const [source] = parse(of('grafana/provisioning/datasources/spanwarden.yaml')).datasources;
    const { host, port, username, defaultDatabase } = source.jsonData;
    assert.deepEqual([host, port], ['clickhouse', 8123]);
    assert.equal(source.secureJsonData.password, '$__file{/etc/spanwarden-grafana/clickhouse-password}');
    const password = of('grafana/clickhouse-password');
    const grafana = createClient({ url: store.endpoints.url, username, password, database: defaultDatabase });
    try {
      await eventually('the span', async () => {
        const result = await grafana.query({ query: 'SELECT SpanName FROM otel_traces', format: 'JSONEachRow' });
        return (await result.json()).length === 1 || undefined;
      });
    } finally {
      await grafana.close();
    }
  });

  test('files that containers name are where they are mounted', () => {
    const { services } = parse(read(join(folder, 'docker-compose.yml')), { merge: true });
    const mounted = (service: string, volume: string) =>
      (services[service].volumes as string[]).map((each) => each.split(':')).find(([name]) => name === volume)?.[1];
    assert.equal(mounted('collector', 'collector-secrets'), '/run/spanwarden');
    assert.equal(mounted('collector', 'collector-data'), '/var/lib/spanwarden');
    assert.equal(mounted('clickhouse', 'clickhouse-accounts'), '/etc/clickhouse-server/conf.d');
    const place = mounted('grafana', 'grafana-files');
    const [provider] = parse(of('grafana/provisioning/dashboards/spanwarden.yaml')).providers;
    assert.equal(provider.options.path, `${place}/dashboards`);
    const { GF_PATHS_PROVISIONING: provisioning, GF_SECURITY_ADMIN_PASSWORD__FILE: admin } =
      services.grafana.environment;
    assert.deepEqual([provisioning, admin], [`${place}/provisioning`, `${place}/admin-password`]);
  });
});
