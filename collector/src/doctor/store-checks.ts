import type { StoreClient } from '../store/client.ts';
import { migrations } from '../store/schema/migrations.ts';
import { type Check, failed, ok, warning } from './check.ts';

const skewMsMax = 5_000;
const freeBytesMin = 1024 ** 3;
/** ClickHouse slows inserts down from 1000 parts of a partition on. */
const partsMax = 500;
const oldestVersion = [24, 8] as const;

interface Facts {
  readonly version: string;
  readonly nowMs: string;
  readonly freeBytes: string;
  readonly parts: string;
  readonly schema: string;
}

/** Version, schema, clock, room and health of ClickHouse. Rejects with the client's error when it does not answer. */
export async function checkClickhouse(client: StoreClient): Promise<Check[]> {
  const before = Date.now();
  const facts = await factsOf(client);
  const middle = (before + Date.now()) / 2;
  return [version(facts), schema(facts), clock(facts, middle), room(facts), parts(facts)];
}

async function factsOf(client: StoreClient): Promise<Facts> {
  const result = await client.query({
    query: `SELECT version() AS version, toUnixTimestamp64Milli(now64(3)) AS nowMs,
  (SELECT min(unreserved_space) FROM system.disks) AS freeBytes,
  (SELECT max(c) FROM (SELECT count() AS c FROM system.parts
    WHERE active AND database = currentDatabase() GROUP BY table, partition)) AS parts,
  (SELECT max(Version) FROM spanwarden_migrations) AS schema`,
    format: 'JSONEachRow',
  });
  const [row] = await result.json<Facts>();
  return row!;
}

function version({ version: text }: Facts): Check {
  const [major = 0, minor = 0] = text.split('.').map(Number);
  const [wantedMajor, wantedMinor] = oldestVersion;
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor))
    return ok('ClickHouse', `version ${text}`);
  return failed('ClickHouse', `version ${text}`, `Take ${wantedMajor}.${wantedMinor} or newer.`);
}

function schema({ schema: applied }: Facts): Check {
  const newest = migrations.at(-1)!.version;
  const seen = `schema ${applied} of ${newest}`;
  if (Number(applied) === newest) return ok('schema', seen);
  return Number(applied) > newest
    ? warning('schema', seen, 'A newer version of spanwarden made it: update this one.')
    : failed('schema', seen, 'spanwarden serve brings it up when it starts; look at its log.');
}

function clock({ nowMs }: Facts, hereMs: number): Check {
  const skewMs = Math.abs(Number(nowMs) - hereMs);
  const seen = `the clocks differ by ${Math.round(skewMs)} ms`;
  if (skewMs <= skewMsMax) return ok('clock of ClickHouse', seen);
  return warning('clock of ClickHouse', seen, 'Let both machines follow a time server: retention goes by its clock.');
}

function room({ freeBytes }: Facts): Check {
  const seen = `${Math.round(Number(freeBytes) / 1024 ** 2)} MiB free`;
  if (Number(freeBytes) >= freeBytesMin) return ok('disk of ClickHouse', seen);
  return warning('disk of ClickHouse', seen, 'Make room, or lower clickhouse.ttl_days.');
}

function parts({ parts: most }: Facts): Check {
  const seen = `at most ${most} parts in a partition`;
  if (Number(most) <= partsMax) return ok('parts', seen);
  return warning(
    'parts',
    seen,
    'Merges do not keep up: raise spool.segment_age_max_ms so that there are fewer inserts.',
  );
}
