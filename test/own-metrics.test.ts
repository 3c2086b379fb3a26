import assert from 'node:assert/strict';
import { test } from 'node:test';
import { otlpProtobuf } from '../collector/src/testing/otlp.ts';
import { eventually, sendTraces } from './support/collector-process.ts';
import { testCollector } from './support/test-collector.ts';

/** One collector with its embedded ClickHouse, as `spanwarden serve` runs it, that writes its own metrics each second. */
const collector = testCollector('telemetry: { metrics: { interval_ms: 1000 } }\nspool: { segment_age_max_ms: 50 }\n');
const { clickhouse } = collector;

type Row = Readonly<Record<string, unknown>>;

const own = "ServiceName = 'spanwarden-collector'";

/** The newest data point of a metric whose condition holds. */
function pointOf(kind: 'sum' | 'gauge' | 'histogram', name: string, condition = '1'): Promise<Row> {
  return eventually(`${name} where ${condition}`, async () => {
    const query = `SELECT * FROM otel_metrics_${kind} WHERE ${own} AND MetricName = '${name}' AND (${condition})
      ORDER BY TimeUnix DESC LIMIT 1`;
    return (await clickhouse.rows<Row>(query))[0];
  });
}

async function shown(): Promise<string> {
  return (await fetch(`${collector.url}/metrics`)).text();
}

test('what /metrics shows is in ClickHouse: counters, gauges and histograms, with labels, times and a resource', async () => {
  const startedMs = Date.now();
  assert.ok(await sendTraces(collector.url, otlpProtobuf([{ name: 'a' }, { name: 'b' }])));
  const sum = await pointOf('sum', 'spanwarden_receive_accepted_spans_total', 'Value = 2');
  assert.deepEqual(
    [sum['AggregationTemporality'], sum['IsMonotonic'], sum['MetricUnit'], sum['ScopeName']],
    [2, true, '1', 'spanwarden.collector'],
  );
  assert.equal(sum['MetricDescription'], 'Spans decoded and handed on.');
  const resource = sum['ResourceAttributes'] as Record<string, string>;
  assert.equal(resource['service.name'], 'spanwarden-collector');
  assert.match(resource['service.version'] ?? '', /^\d+\.\d+\.\d+/);
  assert.match(resource['service.instance.id'] ?? '', /^[0-9a-f]{16}$/);
  const [startMs, timeMs] = [sum['StartTimeUnix'], sum['TimeUnix']].map((time) => Date.parse(String(time)));
  assert.ok(startMs! < startedMs && timeMs! >= startedMs - 1000 && timeMs! <= Date.now(), `${startMs} ${timeMs}`);

  const labelled = await pointOf('sum', 'spanwarden_receive_requests_total');
  assert.deepEqual(labelled['Attributes'], { code: '200' });
  const last = await pointOf('gauge', 'spanwarden_receive_last_span_timestamp_seconds', 'Value > 0');
  assert.ok(Math.abs(Number(last['Value']) * 1000 - startedMs) < 10_000, String(last['Value']));
  assert.equal((await pointOf('gauge', 'spanwarden_spool_bytes_max'))['Value'], 8 * 2 ** 30);

  const lag = await pointOf('histogram', 'spanwarden_store_lag_seconds', 'Count > 0');
  const counts = (lag['BucketCounts'] as string[]).map(Number);
  const bounds = lag['ExplicitBounds'] as number[];
  assert.equal(counts.length, bounds.length + 1);
  assert.equal(String(counts.reduce((all, each) => all + each, 0)), lag['Count']);
  const text = await shown();
  const shownBounds = [...text.matchAll(/^spanwarden_store_lag_seconds_bucket\{le="([\d.]+)"\}/gm)];
  assert.deepEqual(
    bounds,
    shownBounds.map(([, bound]) => Number(bound)),
  );
});

test('every metric that has a value is there, under its name', async () => {
  const text = await shown();
  const names = [...text.matchAll(/^# TYPE (\w+) (counter|gauge|histogram)\n(?!#|$)/gm)].map(([, name]) => name!);
  assert.ok(names.length > 50, `${names.length} metrics`);
  await eventually('all of them', async () => {
    const rows = await clickhouse.rows<{ name: string }>(
      ['sum', 'gauge', 'histogram']
        .map((kind) => `SELECT DISTINCT MetricName AS name FROM otel_metrics_${kind} WHERE ${own}`)
        .join(' UNION ALL '),
    );
    const stored = new Set(rows.map(({ name }) => name));
    return names.every((name) => stored.has(name)) || undefined;
  });
});

test('they are one batch an interval, and nothing that anybody sent', async () => {
  const text = await shown();
  const number = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]);
  assert.equal(number('spanwarden_receive_accepted_data_points_total'), 0);
  assert.equal(number('spanwarden_telemetry_refused_batches'), 0);
  const [batches, seconds] = await eventually('three batches', async () => {
    const [row] = await clickhouse.rows<{ batches: string; seconds: string }>(
      `SELECT count() AS batches, dateDiff('second', min(TimeUnix), max(TimeUnix)) AS seconds
       FROM otel_metrics_gauge WHERE ${own} AND MetricName = 'spanwarden_spool_bytes'`,
    );
    return Number(row?.batches) >= 3 ? ([Number(row?.batches), Number(row?.seconds)] as const) : undefined;
  });
  assert.ok(batches <= seconds + 2, `${batches} batches in ${seconds} s`);
});

test('they go on after a restart, as the same instance with a new start', async () => {
  const name = 'spanwarden_receive_accepted_spans_total';
  const before = await pointOf('sum', name);
  await collector.restart('SIGTERM');
  const after = await pointOf('sum', name, `StartTimeUnix > '${String(before['StartTimeUnix']).replace('Z', '')}'`);
  assert.deepEqual(after['ResourceAttributes'], before['ResourceAttributes']);
  assert.equal(after['Value'], 0);
});
