import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { parquetMetadata } from 'hyparquet';
import { openFormat } from '../collector/src/export/formats/index.ts';
import type { OcsfVersion } from '../collector/src/export/formats/ocsf-version.ts';
import { caseEvent, context, findingEvent } from '../collector/src/export/formats/testing/events.ts';
import { hostileEvent } from '../collector/src/export/formats/testing/hostile.ts';
import { ocsfColumns } from '../collector/src/export/parquet/ocsf-columns.ts';
import { parquetOf } from '../collector/src/export/parquet/write.ts';
import { createStoreClient } from '../collector/src/store/client.ts';
import { startEmbedded } from '../collector/src/store/embedded/start.ts';
import { assertSameRow } from './support/parquet-check.ts';
import { readable, rowsOf } from './support/receivers/s3.ts';

// Parquet files as readers that have nothing to do with the writer see them, value by value.

const versions: readonly OcsfVersion[] = ['1.1', '1.8', '1.9'];

/** Times at the end of 64 bits, a count at the end of what JSON holds, a sub-technique, and nothing at all where that may be. */
const extremes = [
  findingEvent,
  caseEvent,
  {
    ...findingEvent,
    finding: {
      ...findingEvent.finding,
      timeNanos: 0xffff_ffff_ffff_ffffn,
      lastSeenNanos: 0n,
      count: Number.MAX_SAFE_INTEGER,
      tags: ['attack.t1059.001', 'atlas.aml.t0051.001'],
    },
  },
  {
    ...findingEvent,
    finding: { ...findingEvent.finding, tags: [], evidence: [], userId: '', toolName: '', agentName: '' },
  },
  {
    ...caseEvent,
    activity: 'close' as const,
    case: { ...caseEvent.case, votes: [], timeline: [], agents: [], users: [] },
  },
];

function written(
  version: OcsfVersion,
  events = fc.sample(fc.array(hostileEvent, { minLength: 40, maxLength: 60 }), 1)[0]!,
) {
  const format = openFormat('ocsf', { ocsfVersion: version });
  const bodies = [
    ...extremes.map((event) => format.encode(event, context)),
    ...events.map(({ event, context: own }) => format.encode(event, own)),
  ];
  const file = parquetOf(
    bodies.map((body) => Buffer.from(body)),
    ocsfColumns(version),
    'Spanwarden 0.1.0',
  );
  return { file, json: bodies.map((body) => JSON.parse(body) as Record<string, unknown>) };
}

for (const version of versions) {
  test(`OCSF ${version}: whatever the events hold, it is in the columns, and nothing else is`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(hostileEvent, { maxLength: 5 }), async (events) => {
        const { file, json } = written(version, events);
        const rows = await rowsOf(file);
        assert.equal(rows.length, json.length);
        for (const [index, row] of rows.entries()) assertSameRow(json[index]!, row);
      }),
      { numRuns: 60 },
    );
  });
}

test('the same events are the same bytes', () => {
  const events = fc.sample(hostileEvent, 5);
  assert.deepEqual(written('1.9', events).file, written('1.9', events).file);
});

test('a value that does not fit its column is null, and the others stay', async () => {
  const body = {
    count: 1.5,
    time: 2 ** 63,
    severity_id: 2 ** 40,
    message: 7,
    is_alert: 'yes',
    evidences: 'none',
    status: 'New',
    unmapped: null,
  };
  const [row] = await rowsOf(
    parquetOf([Buffer.from(JSON.stringify(body)), Buffer.from('[]')], ocsfColumns('1.9'), 'x'),
  );
  assertSameRow({ status: 'New' }, row);
});

test('pages and files keep to the sizes that Security Lake asks for', async () => {
  const text = 'x'.repeat(200_000);
  const events = Array.from({ length: 40 }, (_, index) => ({
    event: { ...findingEvent, finding: { ...findingEvent.finding, reason: `${index}${text}` } },
    context,
  }));
  const { file, json } = written('1.1', events);
  const { row_groups: groups, num_rows: rows } = parquetMetadata(readable(file).file);
  assert.deepEqual([groups.length, Number(rows)], [1, json.length]);
  for (const { meta_data: column } of groups[0]?.columns ?? []) {
    assert.equal(column?.codec, 'ZSTD');
    const pages = column.encoding_stats?.reduce((sum, { count }) => sum + count, 0) ?? 0;
    const pageBytes = Number(column.total_uncompressed_size) / pages;
    assert.ok(pageBytes <= 1_000_000, `${column.path_in_schema.join('.')}: pages of ${pageBytes} bytes`);
  }
});

test('ClickHouse reads it without being told what is in it', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'spanwarden-parquet-'));
  const server = await startEmbedded({ dataDir });
  const client = createStoreClient({ ...server, database: 'default' });
  try {
    for (const version of versions) {
      const { file, json } = written(version);
      const result = await client.query({
        query: `SELECT * FROM format('Parquet', base64Decode('${file.toString('base64')}'))`,
        format: 'JSONEachRow',
        clickhouse_settings: { max_threads: 1, max_query_size: '100000000', input_format_parquet_preserve_order: 1 },
      });
      const rows = await result.json<Record<string, unknown>>();
      assert.equal(rows.length, json.length);
      for (const [index, row] of rows.entries()) assertSameRow(json[index]!, row, isEmpty);
    }
  } finally {
    await client.close();
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
});

/** ClickHouse has no null of lists and tuples: an empty one, and one of nothing but such, stand for it. */
function isEmpty(value: unknown): boolean {
  return value === null || (typeof value === 'object' && Object.values(value).every(isEmpty));
}
