import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { SpanwardenError } from '../../model/errors.ts';
import { migrate } from '../schema/migrate.ts';
import { type Answer, ask } from './ask.ts';
import { embeddedPaths, isAlive, readEndpoint } from './endpoint.ts';
import { choosePorts } from './ports.ts';
import { type EmbeddedServer, startEmbedded } from './start.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'spanwarden-embedded-'));
const secretFile = join(dataDir, 'secret');
let server: EmbeddedServer;

before(async () => {
  writeFileSync(secretFile, 'do not read me');
  server = await startEmbedded({ dataDir });
  await migrate(server, { database: 'spanwarden', ttlDays: 30, findingsTtlDays: 365 });
  assert.equal(
    (await asCollector('CREATE TABLE spanwarden.marks (mark String) ENGINE = MergeTree ORDER BY mark')).status,
    'ok',
  );
  assert.equal((await asCollector("INSERT INTO spanwarden.marks VALUES ('kept')")).status, 'ok');
});
after(async () => {
  await server.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

interface Extra {
  readonly parameters?: Record<string, string>;
}

const as =
  (account: () => { username: string; password: string }) =>
  (query: string, extra: Extra = {}): Promise<Answer> =>
    ask({ url: server.url, ...account(), query, timeoutMs: 10_000, ...extra });

const asCollector = as(() => server);
const asGrafana = as(() => server.grafana);
const asDefault = as(() => ({ username: 'default', password: '' }));

/** Every way into files, other machines and programs that we know of. */
const waysOut = (file: string) => [
  `SELECT file('${file}')`,
  `SELECT file('${file}', 'x')`,
  `SELECT * APPLY(file) FROM (SELECT '${file}' AS path)`,
  `SELECT arrayMap(file, ['${file}'])`,
  `SELECT arrayMap(path -> file(path), ['${file}'])`,
  `SELECT * FROM file('${file}', 'LineAsString', 'line String')`,
  `SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString', 'line String')`,
  `SELECT * FROM s3('http://127.0.0.1:1/bucket/key', 'LineAsString', 'line String')`,
  `SELECT * FROM remote('127.0.0.1', system.one)`,
  `SELECT * FROM executable('cat', 'LineAsString', 'line String')`,
  `SELECT * FROM sqlite('${file}', 't')`,
  `SELECT * FROM \`${file}\``,
  `INSERT INTO FUNCTION file('${file}.out', 'LineAsString', 'line String') VALUES ('x')`,
  `SELECT 1 INTO OUTFILE '${file}.out'`,
  `SELECT catboostEvaluate('${file}', 1)`,
  `BACKUP DATABASE spanwarden TO File('${file}.out')`,
];

async function assertRefused(run: (query: string) => Promise<Answer>, queries: readonly string[]): Promise<void> {
  for (const query of queries) {
    const answer = await run(query);
    assert.equal(answer.status, 'refused', `${query} was answered: ${JSON.stringify(answer)}`);
    assert.ok(!JSON.stringify(answer).includes('do not read me'), query);
  }
}

describe('the embedded server', () => {
  it('is ClickHouse, over HTTP, with what its endpoint file says', async () => {
    assert.match(server.version, /^\d+\.\d+/);
    assert.deepEqual(await asCollector('SELECT currentUser()'), { status: 'ok', text: 'spanwarden\n' });
    const { exited, stop, ...endpoint } = server;
    assert.deepEqual(readEndpoint(dataDir), endpoint);
    assert.equal(endpoint.collectorPid, process.pid);
  });

  it('keeps every file of its own from others, and no password but in the two password files', () => {
    const { directory, password, grafanaPassword, endpoint } = embeddedPaths(dataDir);
    assert.equal(statSync(directory).mode & 0o777, 0o700);
    for (const name of readdirSync(directory, { withFileTypes: true })) {
      if (!name.isFile()) continue;
      const path = join(directory, name.name);
      assert.equal(statSync(path).mode & 0o777, 0o600, path);
      if (path === password || path === grafanaPassword) continue;
      const content = readFileSync(path, 'utf8');
      assert.ok(!content.includes(server.password) && !content.includes(server.grafana.password), path);
    }
    assert.ok(statSync(endpoint).isFile());
    assert.ok(server.password.length >= 43 && server.password !== server.grafana.password);
  });

  it('listens on loopback only', async () => {
    const sockets =
      readFileSync(`/proc/${server.pid}/net/tcp`, 'utf8') + readFileSync(`/proc/${server.pid}/net/tcp6`, 'utf8');
    const listening = sockets.split('\n').filter((line) => / 0A /.test(line));
    for (const port of [Number(new URL(server.url).port), server.tcpPort]) {
      const hex = port.toString(16).toUpperCase().padStart(4, '0');
      const addresses = listening
        .map((line) => line.trim().split(/\s+/)[1]!)
        .filter((local) => local.endsWith(`:${hex}`));
      assert.deepEqual(addresses, [`0100007F:${hex}`]);
    }
  });

  it('lets nobody in as default, not even to sign in', async () => {
    const queries = [
      'SELECT 1',
      'SHOW DATABASES',
      'SELECT * FROM spanwarden.marks',
      'SYSTEM STOP LISTEN HTTP',
      ...waysOut(secretFile),
    ];
    await assertRefused(asDefault, queries);
    assert.match(JSON.stringify(await asDefault('SELECT 1')), /Authentication failed|REQUIRED_PASSWORD/);
  });

  it('gives no account a way to files, other machines or programs', async () => {
    await assertRefused(asGrafana, waysOut(secretFile));
    await assertRefused(asCollector, waysOut(secretFile));
  });

  it('lets grafana read the database of the collector and its own metadata', async () => {
    assert.deepEqual(await asGrafana('SELECT mark FROM spanwarden.marks'), { status: 'ok', text: 'kept\n' });
    for (const query of [
      "SELECT name FROM system.columns WHERE database = 'spanwarden' AND table = 'otel_traces'",
      "SELECT name FROM system.tables WHERE database = 'spanwarden'",
      'SELECT name FROM system.functions LIMIT 1',
      'SHOW DATABASES',
      'SHOW TABLES FROM spanwarden',
      'DESC TABLE spanwarden.otel_traces',
      'SELECT displayName(), version(), revision(), timezone()',
      'SELECT * FROM spanwarden.findings_logs',
    ]) {
      const answer = await asGrafana(query);
      assert.equal(answer.status, 'ok', `${query}: ${JSON.stringify(answer)}`);
    }
  });

  it('lets grafana write nothing and read nothing else', async () => {
    await assertRefused(asGrafana, [
      "INSERT INTO spanwarden.marks VALUES ('x')",
      'ALTER TABLE spanwarden.marks DELETE WHERE 1',
      'DROP TABLE spanwarden.marks',
      'TRUNCATE TABLE spanwarden.marks',
      'CREATE TABLE spanwarden.mine (a UInt8) ENGINE = Memory',
      'CREATE TEMPORARY TABLE mine (a UInt8)',
      'CREATE DATABASE mine',
      'CREATE USER mine',
      'SELECT * FROM system.processes',
      'SELECT * FROM system.users',
      'SELECT * FROM system.parts',
      'SELECT * FROM system.server_settings',
      "KILL QUERY WHERE user = 'spanwarden'",
      'SYSTEM STOP LISTEN HTTP',
      'SYSTEM STOP MERGES spanwarden.marks',
    ]);
  });

  it('lets grafana change what its queries need and no other setting', async () => {
    for (const parameters of [
      { max_execution_time: '30' },
      { limit: '10' },
      { additional_table_filters: "{'spanwarden.marks': 'mark != 1'}" },
    ] as Record<string, string>[]) {
      const answer = await asGrafana('SELECT 1', { parameters });
      assert.equal(answer.status, 'ok', JSON.stringify({ parameters, answer }));
    }
    for (const parameters of [
      { max_execution_time: '100000' },
      { max_execution_time: '0' },
      { readonly: '0' },
      { readonly: '2' },
      { max_memory_usage: '0' },
      { max_threads: '64' },
      { max_result_rows: '0' },
      { allow_ddl: '1' },
      { allow_introspection_functions: '1' },
      { format_schema: secretFile },
    ] as Record<string, string>[]) {
      assert.equal((await asGrafana('SELECT 1', { parameters })).status, 'refused', JSON.stringify(parameters));
    }
    await assertRefused(asGrafana, ['SELECT 1 SETTINGS max_threads = 64', 'SET readonly = 0']);
  });

  it('refuses a second server on the same data directory, and the first lives on', async () => {
    await assert.rejects(startEmbedded({ dataDir }), (error: SpanwardenError) => {
      assert.equal(error.problems[0]!.code, 'SW_CLICKHOUSE_START');
      assert.match(error.message, /another collector's ClickHouse uses the data directory/);
      return true;
    });
    assert.equal((await asCollector('SELECT 1')).status, 'ok');
    await assertRefused(asGrafana, waysOut(secretFile).slice(0, 6));
  });

  it('says so when a configured port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const directory = mkdtempSync(join(tmpdir(), 'spanwarden-embedded-'));
    await assert.rejects(startEmbedded({ dataDir: directory, httpPort: port }), (error: SpanwardenError) => {
      assert.ok(error instanceof SpanwardenError);
      assert.match(error.message, /port is in use/);
      assert.match(error.message, /clickhouse\.embedded\.http_port/);
      return true;
    });
    other.close();
    rmSync(directory, { recursive: true });
  });

  for (const kind of ['http', 'tcp'] as const) {
    it(`takes another port when somebody takes the one that was chosen before the server does: ${kind}`, async () => {
      const directory = mkdtempSync(join(tmpdir(), 'spanwarden-embedded-'));
      const paths = embeddedPaths(directory);
      mkdirSync(paths.directory, { recursive: true });
      const wanted = await choosePorts({ http: 0, tcp: 0 }, paths.ports);
      writeFileSync(paths.ports, JSON.stringify(wanted));
      const children = () => readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8');
      const before = children();
      const starting = startEmbedded({ dataDir: directory });
      while (children() === before) await new Promise((done) => setImmediate(done));
      // Its process is there, and takes longer than this to listen.
      const faster = createServer((socket) => socket.destroy()).listen(wanted[kind], '127.0.0.1');
      await once(faster, 'listening');
      const started = await starting;
      const got = { http: Number(new URL(started.url).port), tcp: started.tcpPort };
      assert.notEqual(got[kind], wanted[kind]);
      await started.stop();
      faster.close();
      rmSync(directory, { recursive: true });
    });
  }

  it('starts again on the same directory with its data, passwords and ports', async () => {
    const first = server;
    await first.stop();
    assert.equal(isAlive(first.pid), false);
    assert.equal(readEndpoint(dataDir), undefined);
    server = await startEmbedded({ dataDir });
    assert.deepEqual(
      [server.url, server.tcpPort, server.password, server.grafana],
      [first.url, first.tcpPort, first.password, first.grafana],
    );
    assert.deepEqual(await asCollector('SELECT mark FROM spanwarden.marks'), { status: 'ok', text: 'kept\n' });
  });
});

describe('a collector that is killed', () => {
  it('takes its server with it, and the next one starts at once on what was inserted', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'spanwarden-embedded-'));
    const script = `
      import { startEmbedded } from ${JSON.stringify(new URL('./start.ts', import.meta.url).href)};
      const { pid } = await startEmbedded({ dataDir: ${JSON.stringify(directory)} });
      process.stdout.write(pid + '\\n');
      setInterval(() => {}, 1000);`;
    const collector = spawn(process.execPath, ['--input-type=module-typescript', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface({ input: collector.stdout }), 'line')) as [string];
    const pid = Number(line);
    const { url, username, password } = readEndpoint(directory)!;
    const account = { url, username, password, timeoutMs: 5_000 };
    for (const query of [
      'CREATE DATABASE spanwarden',
      'CREATE TABLE spanwarden.marks (mark String) ENGINE = MergeTree ORDER BY mark',
      "INSERT INTO spanwarden.marks VALUES ('before the kill')",
    ]) {
      assert.equal((await ask({ ...account, query })).status, 'ok');
    }
    assert.ok(runs(pid));
    collector.kill('SIGKILL');
    const next = await startEmbedded({ dataDir: directory });
    try {
      assert.ok(!runs(pid), 'the server outlived its collector');
      assert.notEqual(next.pid, pid);
      const answer = await ask({ ...account, url: next.url, query: 'SELECT mark FROM spanwarden.marks' });
      assert.deepEqual(answer, { status: 'ok', text: 'before the kill\n' });
    } finally {
      await next.stop();
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

/** Whether a process runs; one that is dead but not yet waited for by its parent does not. */
function runs(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
