import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger, pino } from 'pino';
import { createStoreClient, type StoreClient } from '../client.ts';
import { clickhouseConfigSchema, schemaOptions } from '../config.ts';
import { type EmbeddedServer, startEmbedded } from '../embedded/start.ts';
import { migrate } from './migrate.ts';
import { lockTable, lockTableDdl, MigrationLock } from './migration-lock.ts';
import { migrations } from './migrations.ts';

const database = 'spanwarden';
const schema = { database, ttlDays: 30, findingsTtlDays: 365 };
const dataDir = mkdtempSync(join(tmpdir(), 'spanwarden-migrate-'));
let server: EmbeddedServer;
let client: StoreClient;

before(async () => {
  server = await startEmbedded({ dataDir });
  client = createStoreClient({ ...server, database: 'default' });
});
after(async () => {
  await client.close();
  await server.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

async function command(query: string): Promise<void> {
  await client.command({ query, clickhouse_settings: { wait_end_of_query: 1, async_insert: 0 } });
}

async function rowsOf<T>(query: string): Promise<T[]> {
  const result = await client.query({ query, format: 'JSONEachRow' });
  return result.json<T>();
}

function logged(): { readonly lines: Record<string, unknown>[]; readonly logger: Logger } {
  const lines: Record<string, unknown>[] = [];
  return { lines, logger: pino({}, { write: (line: string) => lines.push(JSON.parse(line)) }) };
}

describe('migrations of many at once', () => {
  it('run once each, by one after the other', async () => {
    for (let round = 0; round < 2; round++) {
      await command(`DROP DATABASE IF EXISTS ${database}`);
      const { lines, logger } = logged();
      await Promise.all(Array.from({ length: 6 }, () => migrate(server, schema, { logger })));
      const applied = lines.filter(({ msg }) => msg === 'schema migration applied').map(({ version }) => version);
      assert.deepEqual(
        applied,
        migrations.map(({ version }) => version),
      );
    }
  });

  it('say that the schema is newer, and go on', async () => {
    await command(`INSERT INTO ${database}.spanwarden_migrations (Version, Name) VALUES (4000, 'later')`);
    const { lines, logger } = logged();
    await migrate(server, schema, { logger });
    assert.deepEqual(
      lines.map(({ level, version, known }) => [level, version, known]),
      [[40, 4000, migrations.length]],
    );
  });

  it('wait for a dead one until its claim has run out', async () => {
    await command(`DROP DATABASE IF EXISTS ${database}`);
    await command(`CREATE DATABASE ${database}`);
    await command(lockTableDdl(database));
    await new MigrationLock(client, { database, leaseMs: 700 }).acquire();
    const dead = `(SELECT max(ExpiresAt) FROM ${database}.${lockTable})`;
    const [{ until } = {}] = await rowsOf<{ until: string }>(`SELECT toString(${dead}) AS until`);
    const { lines, logger } = logged();
    await migrate(server, schema, { logger });
    assert.equal(lines.filter(({ msg }) => /another collector/.test(`${msg}`)).length, 1);
    const applied = `SELECT min(AppliedAt) > '${until}' AS after FROM ${database}.spanwarden_migrations`;
    assert.deepEqual(await rowsOf(applied), [{ after: 1 }]);
  });

  it('wait for nobody where the server is their own', async () => {
    await command(`TRUNCATE TABLE ${database}.spanwarden_migrations`);
    const dead = new MigrationLock(client, { database });
    await dead.acquire();
    await migrate(server, schema, { alone: true, signal: AbortSignal.timeout(30_000) });
    assert.equal(
      (await rowsOf(`SELECT DISTINCT Version FROM ${database}.spanwarden_migrations`)).length,
      migrations.length,
    );
    await dead.release();
  });

  it('can be given up on while they wait', async () => {
    await command(`TRUNCATE TABLE ${database}.spanwarden_migrations`);
    const held = new MigrationLock(client, { database });
    await held.acquire();
    const signal = AbortSignal.timeout(100);
    await assert.rejects(migrate(server, schema, { signal }), { name: 'AbortError' });
    await held.release();
  });
});

describe('the lock', () => {
  it('is never held by two', async () => {
    let holders = 0;
    let most = 0;
    const turns = Array.from({ length: 8 }, async () => {
      const lock = new MigrationLock(client, { database });
      await lock.acquire();
      most = Math.max(most, ++holders);
      await lock.renew();
      holders--;
      await lock.release();
    });
    await Promise.all(turns);
    assert.deepEqual([holders, most], [0, 1]);
  });

  it('stays with a holder whose statement takes longer than a claim holds', async () => {
    const [slow, other] = [1, 2].map(() => new MigrationLock(client, { database, leaseMs: 400 }));
    await slow!.acquire();
    let isDone = false;
    const statement = slow!.during(async () => {
      await sleep(1_200);
      isDone = true;
    });
    await other!.acquire().then(() => assert.ok(isDone, 'the other one came in between'), assert.fail);
    await statement;
    await other!.release();
  });

  it('tells a holder that was away for too long', async () => {
    const lock = new MigrationLock(client, { database, leaseMs: 50 });
    await lock.acquire();
    await sleep(60);
    await assert.rejects(lock.renew(), /ran out/);
    await lock.release();
  });
});

describe('retention', () => {
  const usual = { ttl_days: 30, findings_ttl_days: 365 };

  it('comes to the tables that are there, and to what belongs to them', async () => {
    await command(`DROP DATABASE IF EXISTS ${database}`);
    const before = await daysAfter(usual);
    assert.deepEqual([before.otel_traces, before.findings], [30, 365]);
    const ttl = { otel_traces: 60, otel_logs: 7, otel_metrics_sum: 90, findings: 400, cases: 800 };
    assert.deepEqual(await daysAfter({ ...usual, ttl }), {
      ...before,
      ...{ otel_traces: 60, otel_traces_trace_id_ts: 60, otel_messages: 60, otel_logs: 7, otel_metrics_sum: 90 },
      ...{ findings: 400, finding_marks: 400, cases: 800, case_events: 800 },
    });
    const week = await daysAfter({ ttl_days: 7, findings_ttl_days: 14 });
    assert.deepEqual([week.otel_traces, week.otel_traces_trace_id_ts, week.otel_logs, week.findings], [7, 7, 7, 14]);
    assert.deepEqual(await daysAfter(usual), before);
  });

  async function daysAfter(config: Parameters<typeof clickhouseConfigSchema.parse>[0]) {
    await migrate(server, schemaOptions(clickhouseConfigSchema.parse(config)));
    const tables = await rowsOf<{ name: string; days: string }>(
      `SELECT name, extract(engine_full, 'toIntervalDay\\((\\d+)\\) SETTINGS') AS days FROM system.tables
WHERE database = '${database}' AND days != ''`,
    );
    return Object.fromEntries(tables.map(({ name, days }) => [name, Number(days)]));
  }
});
