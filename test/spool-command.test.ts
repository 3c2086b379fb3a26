import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { otlpProtobuf } from '../collector/src/testing/otlp.ts';
import { cliOf } from './support/cli.ts';
import { eventually, sendTraces } from './support/collector-process.ts';
import { testCollector } from './support/test-collector.ts';

/** `spanwarden spool …` over the spool of a collector that runs, and of one that does not. */
const collector = testCollector('spool: { segment_age_max_ms: 100 }\n');
const { home, clickhouse } = collector;
const spool = cliOf(home, 'spool');
const directory = join(home.dataDir, 'spool');

async function sendSpan(name: string): Promise<void> {
  assert.equal(await sendTraces(collector.url, otlpProtobuf([{ name }])), true);
  await eventually(`${name} in ClickHouse`, async () => {
    const [row] = await clickhouse.rows<{ n: string }>(
      `SELECT count() AS n FROM otel_traces WHERE SpanName = '${name}'`,
    );
    return row!.n === '1' ? row : undefined;
  });
  await eventually('the segment is marked as sent', async () =>
    readdirSync(directory).some((file) => file.endsWith('.seg')) ? undefined : true,
  );
}

test('status and inspect tell what is there, and what is damaged', async () => {
  await sendSpan('first');
  // What rules did is written down from time to time, too, in segments of its own.
  const status = await eventually('nothing waits', async () => {
    const { code, stdout } = spool('status', '--json');
    const found = JSON.parse(stdout) as {
      unsent: { segments: number };
      sent: { segments: number };
      hasReserve: boolean;
    };
    return code === 0 && found.unsent.segments === 0 ? found : undefined;
  });
  assert.deepEqual([status.sent.segments > 0, status.hasReserve], [true, true]);
  assert.match(spool('status').stdout, /dead letters +0 rows of 0 segments/);

  const segments = JSON.parse(spool('inspect', '--json').stdout) as { id: string; name: string }[];
  const segment = segments.find(({ id }) => /1 otel_traces/.test(spool('inspect', id.slice(-8)).stdout))!;
  assert.ok(segment, 'no segment holds the span');
  appendFileSync(join(directory, segment.name), Buffer.alloc(100, 7));
  const damaged = spool('inspect', segment.id);
  assert.equal(damaged.code, 1);
  assert.match(damaged.stdout, /corrupt bytes \d+ to \d+/);
  assert.match(spool('inspect', '0123').stderr, /No segment 0123/);
  assert.equal(spool('inspect', '../x').code, 2);
});

test('sent segments can be sent again and add no row', async () => {
  const again = spool('replay', '--sent', '--json');
  const { segments, refused } = JSON.parse(again.stdout) as { segments: number; rows: number; refused: number };
  assert.ok(segments > 0);
  assert.deepEqual([again.code, refused], [0, 0]);
  const [row] = await clickhouse.rows<{ n: string }>('SELECT count() AS n FROM otel_traces');
  assert.equal(row!.n, '1');
  const refusal = spool('replay');
  assert.equal(refusal.code, 1);
  assert.match(refusal.stderr, /SW_DATA_DIR/);
});

test('a row that ClickHouse refuses is listed, shown, and inserted once the reason is gone', async () => {
  await clickhouse.command("ALTER TABLE otel_traces ADD CONSTRAINT refused CHECK SpanName != 'poison'");
  assert.equal(
    await sendTraces(collector.url, otlpProtobuf([{ name: 'before' }, { name: 'poison' }, { name: 'behind' }])),
    true,
  );
  const count = async (name: string) =>
    Number(
      (await clickhouse.rows<{ n: string }>(`SELECT count() AS n FROM otel_traces WHERE SpanName = '${name}'`))[0]!.n,
    );
  const letters = await eventually('a dead letter', async () => {
    const listed = JSON.parse(spool('dead-letter', 'list', '--json').stdout) as { segment: string }[];
    return listed.length > 0 ? listed : undefined;
  });
  assert.deepEqual([await count('before'), await count('poison'), await count('behind')], [1, 0, 1]);
  const id = letters[0]!.segment;
  assert.match(
    spool('dead-letter', 'show', id.slice(-8)).stdout,
    /otel_traces row 1[\s\S]*VIOLATED_CONSTRAINT[\s\S]*poison/,
  );
  assert.equal(spool('status').code, 1);

  const refused = spool('dead-letter', 'retry', 'all');
  assert.deepEqual([refused.code, refused.stdout], [1, '0 rows inserted, 1 refused again.\n']);
  await clickhouse.command('ALTER TABLE otel_traces DROP CONSTRAINT refused');
  const taken = spool('dead-letter', 'retry', id);
  assert.deepEqual([taken.code, taken.stdout], [0, '1 row inserted, 0 refused again.\n']);
  assert.equal(await count('poison'), 1);
  assert.match(spool('dead-letter', 'list').stdout, /No dead letters/);
});

test('a stopped collector leaves a spool that can be looked at, and a wrong place is said', async () => {
  assert.equal(await collector.end('SIGTERM'), 0);
  assert.equal(spool('status').code, 0);
  const unreachable = spool('replay');
  assert.equal(unreachable.code, 3, unreachable.stderr);
  const config = readFileSync(home.configFile, 'utf8');
  writeFileSync(
    home.configFile,
    config.replace(JSON.stringify(home.dataDir), JSON.stringify(`${home.dataDir}-elsewhere`)),
  );
  const elsewhere = spool('status');
  assert.equal(elsewhere.code, 1);
  assert.match(elsewhere.stderr, /there is no spool in/);
});
