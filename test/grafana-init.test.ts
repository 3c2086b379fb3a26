import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { parse } from 'yaml';
import { accountStatements, accountXml, readerLimits } from '../collector/src/cli/grafana-account.ts';
import { clickhouseConfigSchema } from '../collector/src/store/config.ts';
import { openStore, type Store } from '../collector/src/store/index.ts';
import { repositoryRoot } from '../scripts/repository.ts';
import { cliOf } from './support/cli.ts';
import { type CollectorHome, createHome } from './support/collector-process.ts';
import { expandQuery } from './support/grafana-macros.ts';
import { dashboardQueries } from './support/grafana-queries.ts';

const read = (path: string): string => readFileSync(path, 'utf8');
const filesIn = (folder: string): string[] =>
  globSync('**/*', { cwd: folder })
    .filter((path) => statSync(join(folder, path)).isFile())
    .sort();

describe('spanwarden grafana init', () => {
  let home: CollectorHome;
  let folder: string;
  const init = (...args: string[]) => cliOf(home, 'grafana', 'init')(...args);
  const of = (path: string) => read(join(folder, path));
  before(() => {
    home = createHome('clickhouse: { url: "https://clickhouse.example:9443", database: agents }\n');
    folder = join(home.directory, 'grafana');
  });
  after(() => home.remove());

  test('writes all that Grafana needs, for the server of the config, and tells what to do next', () => {
    const { code, stdout, stderr } = init(folder);
    assert.deepEqual([code, stderr], [0, '']);
    const shipped = globSync('*.json', { cwd: join(repositoryRoot, 'grafana/dashboards') });
    assert.deepEqual(
      filesIn(folder),
      [
        ...['clickhouse-account.sql', 'clickhouse-account.xml', 'clickhouse-password', 'contact-points.example.yaml'],
        ...shipped.map((file) => `dashboards/${file}`),
        ...['alerting', 'dashboards', 'datasources'].map((kind) => `provisioning/${kind}/spanwarden.yaml`),
      ].sort(),
    );
    for (const { jsonData, secureJsonData } of parse(of('provisioning/datasources/spanwarden.yaml')).datasources) {
      const { host, port, secure, username, defaultDatabase, traces, logs } = jsonData;
      assert.deepEqual([host, port, secure, username], ['clickhouse.example', 9443, true, 'grafana']);
      for (const place of [defaultDatabase, traces.defaultDatabase, logs.defaultDatabase])
        assert.equal(place, 'agents');
      assert.deepEqual(secureJsonData, { password: '$SPANWARDEN_CLICKHOUSE_PASSWORD' });
    }
    const [provider] = parse(of('provisioning/dashboards/spanwarden.yaml')).providers;
    assert.equal(provider.options.path, join(folder, 'dashboards'));
    for (const step of ['clickhouse-account.sql', 'SPANWARDEN_CLICKHOUSE_PASSWORD', 'GF_PATHS_PROVISIONING']) {
      assert.match(stdout, new RegExp(step));
    }
  });

  test('the password stands in one file that nobody else reads and git does not see; the SQL has its hash', () => {
    const file = join(folder, 'clickhouse-password');
    const password = read(file).trim();
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.match(password, /^[\w-]{43}$/);
    assert.match(of('clickhouse-account.sql'), new RegExp(sha256Hex(password)));
    for (const path of filesIn(folder).filter((path) => path !== 'clickhouse-password')) {
      assert.ok(!of(path).includes(password), path);
    }
    assert.match(of('.gitignore'), /^clickhouse-password$/m);
  });

  test('overwrites nothing unless it is told to, and keeps the password then', () => {
    const dataSources = 'provisioning/datasources/spanwarden.yaml';
    writeFileSync(join(folder, dataSources), 'mine\n');
    const password = of('clickhouse-password');
    const refused = init(folder);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /SW_GRAFANA_INIT[\s\S]*--force/);
    assert.equal(of(dataSources), 'mine\n');
    const { code, stdout } = init(folder, '--force', '--json');
    assert.equal(code, 0);
    assert.ok(JSON.parse(stdout).files.includes(dataSources));
    assert.match(of(dataSources), /clickhouse\.example/);
    assert.equal(of('clickhouse-password'), password);
  });

  test('options say where Grafana finds things', () => {
    const args = ['--host', '10.0.0.1', '--port', '8124', '--user', 'reader', '--database', 'other'];
    const more = ['--dashboards-path', '/var/lib/$x', '--password-file', '/run/p', '--docs', 'https://example.org/d/'];
    assert.equal(init(folder, ...args, ...more, '--import', '--force').code, 0);
    const [{ jsonData, secureJsonData }] = parse(of('provisioning/datasources/spanwarden.yaml')).datasources;
    assert.equal(secureJsonData.password, '$__file{/run/p}');
    const { host, port, secure, username, defaultDatabase } = jsonData;
    assert.deepEqual([host, port, secure, username, defaultDatabase], ['10.0.0.1', 8124, false, 'reader', 'other']);
    assert.match(of('clickhouse-account.sql'), /GRANT SELECT ON `other`\.\* TO `reader`/);
    assert.match(of('provisioning/dashboards/spanwarden.yaml'), /path: \/var\/lib\/\$\$x$/m);
    const [rule] = parse(of('provisioning/alerting/spanwarden.yaml')).groups[0].rules;
    assert.equal(rule.annotations.runbook_url, 'https://example.org/d/operations.md#open-case');
    for (const path of globSync('dashboards-import/*.json', { cwd: folder })) {
      const dashboard = JSON.parse(of(path));
      const [input] = dashboard.__inputs;
      assert.deepEqual([input.type, input.pluginId], ['datasource', 'grafana-clickhouse-datasource']);
      const variable = dashboard.templating.list.find(({ type }: { type: string }) => type === 'datasource');
      assert.equal(variable.current.value, `\${${input.name}}`);
      for (const { type } of dashboard.panels) {
        const isRequired = dashboard.__requires.some(({ id }: { id: string }) => id === type);
        assert.ok(type === 'row' || isRequired, `${path} does not require ${type}`);
      }
    }
  });

  test('wrong values are refused before anything is written', () => {
    const other = join(home.directory, 'other');
    for (const args of [
      ['--host', 'a b'],
      ['--host', '$HOME'],
      ['--port', '0'],
      ['--user', '`; DROP USER x'],
      ['--database', 'a.b'],
      ['--docs', 'ftp://x'],
      ['--password-file', '/run/${x}'],
    ]) {
      const { code, stderr } = init(other, ...args);
      assert.equal(code, 2, args.join(' '));
      assert.match(stderr, /takes/);
    }
    assert.ok(!existsSync(other));
  });
});

describe('with the embedded ClickHouse', () => {
  test('the account is there already; a port that nobody knows is asked for', () => {
    const fixed = createHome('clickhouse: { embedded: { http_port: 18999 } }\n');
    const unknown = createHome();
    try {
      const folder = join(fixed.directory, 'grafana');
      const { stdout } = cliOf(fixed, 'grafana', 'init')(folder, '--json');
      const { port, passwordFile } = JSON.parse(stdout);
      assert.deepEqual([port, passwordFile], [18999, join(fixed.dataDir, 'clickhouse', 'grafana-password')]);
      assert.deepEqual(
        filesIn(folder).filter((path) => /account|password/.test(path)),
        [],
      );
      const { code, stderr } = cliOf(unknown, 'grafana', 'init')(join(unknown.directory, 'grafana'));
      assert.equal(code, 2);
      assert.match(stderr, /http_port/);
    } finally {
      fixed.remove();
      unknown.remove();
    }
  });
});

/**
 * The embedded ClickHouse keeps accounts in XML and has no place for those made by SQL. So the statements are run there up to the
 * place where they would be kept, which checks everything else about them; and what it may do is seen with the account from the XML.
 */
describe('the account', () => {
  const user = 'reader-of-the-test';
  const password = 'p';
  const database = 'spanwarden';
  const account = { user, database, passwordSha256Hex: sha256Hex(password) };
  let dataDir: string;
  let store: Store;
  let reader: ClickHouseClient;
  let admin: ClickHouseClient;

  before(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'spanwarden-account-'));
    const further = join(dataDir, 'clickhouse', 'users.d');
    mkdirSync(further, { recursive: true });
    writeFileSync(join(further, 'account.xml'), accountXml(account));
    writeFileSync(join(further, 'admin.xml'), adminXml(account.passwordSha256Hex));
    store = await openStore(clickhouseConfigSchema.parse({}), { dataDir });
    await store.migrated();
    const { url } = store.endpoints;
    const log = { level: ClickHouseLogLevel.OFF };
    reader = createClient({ url, database, username: user, password, log });
    admin = createClient({ url, username: 'admin', password, log });
  });
  after(async () => {
    await reader?.close();
    await admin?.close();
    await store?.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  test('every statement is what ClickHouse takes, up to the place where it would be kept', async () => {
    for (const query of accountStatements(account)) {
      await assert.rejects(admin.command({ query }), /no writeable access storage|readonly|read-only/i, query);
    }
    for (const query of accountStatements({ ...account, cluster: 'prod', isSharded: true })) {
      await admin.command({ query: `EXPLAIN AST ${query}` });
    }
    await assert.rejects(
      admin.command({ query: accountStatements(account)[0]!.replace('max_result_rows', 'no_such_setting') }),
      /Unknown setting/,
    );
  });

  test('it can run every query of the dashboards and of the alerts, with the settings that Grafana sends', async () => {
    const alerts = alertQueries().map((sql) => ({ sql, variables: {}, isFiltered: false }));
    assert.ok(dashboardQueries.length > 15 && alerts.length > 10, `${dashboardQueries.length} and ${alerts.length}`);
    for (const { sql, variables, isFiltered } of [...dashboardQueries, ...alerts]) {
      const key = sql.includes("$__adHocFilters('findings')") ? 'AgentName' : 'Agent';
      const query = expandQuery(sql, {
        ...{ from: new Date(Date.now() - 3_600_000), to: new Date(), intervalMs: 60_000 },
        variables,
        adHocFilters: isFiltered ? [{ key, operator: '=', value: 'a' }] : [],
      });
      await reader.query({ query, clickhouse_settings: { max_execution_time: 60 } }).then((result) => result.text());
    }
  });

  test('it can read each table, and sees no other database', async () => {
    const rows = async (query: string) =>
      (await reader.query({ query, format: 'JSONEachRow' })).json<{ name: string }>();
    const tables = await rows(`SELECT name FROM system.tables WHERE database = '${database}'`);
    assert.ok(tables.length > 15, `${tables.length} tables`);
    for (const { name } of tables) await rows(`SELECT * FROM ${name} LIMIT 1`);
    await admin.command({ query: 'CREATE DATABASE secrets' });
    await admin.command({ query: 'CREATE TABLE secrets.keys (key String) ENGINE = MergeTree ORDER BY key' });
    assert.deepEqual(
      (await rows('SHOW DATABASES')).filter(({ name }) => !/^(information_schema|system)$/i.test(name)),
      [{ name: database }],
    );
  });

  test('it can do nothing else', async () => {
    for (const query of [
      'INSERT INTO findings (FindingId) VALUES (1)',
      'DROP TABLE findings',
      'TRUNCATE TABLE findings',
      'ALTER TABLE findings DELETE WHERE 1',
      'CREATE TABLE mine (a String) ENGINE = Memory',
      'CREATE TEMPORARY TABLE mine (a String)',
      'CREATE FUNCTION f AS (x) -> x',
      'SELECT * FROM secrets.keys',
      'SELECT * FROM system.users',
      'SELECT * FROM system.processes',
      "SELECT * FROM url('http://127.0.0.1:1/', CSV, 'a String')",
      // Fails here before the account is looked at: the embedded server has no working directory.
      "SELECT * FROM file('/etc/passwd', LineAsString)",
      "SELECT * FROM s3('http://127.0.0.1:1/bucket/key', CSV, 'a String')",
      "SELECT * FROM remote('127.0.0.1:1', system.one)",
      "SELECT * FROM merge(currentDatabase(), '.*') SETTINGS readonly = 0",
      'SYSTEM FLUSH LOGS',
      'KILL QUERY WHERE 1',
      'GRANT SELECT ON *.* TO `reader-of-the-test`',
      'SELECT 1 SETTINGS max_memory_usage = 0',
      'SELECT 1 SETTINGS max_execution_time = 301',
      'SELECT 1 SETTINGS max_execution_time = 0',
    ]) {
      await assert.rejects(
        reader.command({ query }),
        /ACCESS_DENIED|READONLY|SETTING_CONSTRAINT_VIOLATION|getcwd|Not enough privileges|readonly|should(n't| not) be/i,
        query,
      );
    }
  });

  test('its quota counts', async () => {
    const query = `SELECT quota_name AS quota, toUInt32(max_queries) AS most, toUInt32(queries) AS asked
      FROM system.quotas_usage WHERE quota_name = 'spanwarden_reader'`;
    const [row] = await (await admin.query({ query, format: 'JSONEachRow' })).json<{ most: number; asked: number }>();
    assert.equal(row?.most, readerLimits.queries);
    assert.ok((row?.asked ?? 0) > 30, `${row?.asked} asked`);
  });
});

function alertQueries(): string[] {
  return [...queriesIn(parse(read(join(repositoryRoot, 'grafana/provisioning/alerting/spanwarden.yaml'))))];
}

function* queriesIn(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key === 'rawSql' && typeof inner === 'string') yield inner;
    else yield* queriesIn(inner);
  }
}

/** Somebody who may do everything. */
function adminXml(hash: string): string {
  return `<clickhouse><users><admin><password_sha256_hex>${hash}</password_sha256_hex>
    <networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>
    <grants><query>GRANT ALL ON *.* WITH GRANT OPTION</query></grants></admin></users></clickhouse>`;
}

function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
