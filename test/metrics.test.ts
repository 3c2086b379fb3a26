import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  AggregationType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { GrpcClient } from '../collector/src/otlp-check/grpc-client.ts';
import { grpcPaths } from '../collector/src/otlp-check/requests.ts';
import { otlpMetricsJson, otlpMetricsProtobuf } from '../collector/src/testing/otlp-metrics.ts';
import { eventually } from './support/collector-process.ts';
import { testCollector } from './support/test-collector.ts';

/** One collector with its embedded ClickHouse, as `spanwarden serve` runs it, that takes metrics. */
const collector = testCollector('spool: { segment_age_max_ms: 50 }\n');
const { clickhouse } = collector;
const kinds = ['gauge', 'sum', 'histogram', 'exponential_histogram', 'summary'] as const;

async function post(body: Buffer | string, type: string) {
  const headers = { 'content-type': type };
  const response = await fetch(`${collector.url}/v1/metrics`, { method: 'POST', body: body as never, headers });
  return { status: response.status, text: await response.text() };
}

function rowOf(kind: (typeof kinds)[number], service: string): Promise<Record<string, unknown>> {
  return eventually(`a ${kind} of ${service}`, async () => {
    const query = `SELECT * EXCEPT ServiceName FROM otel_metrics_${kind} WHERE ServiceName = '${service}'`;
    const rows = await clickhouse.rows<Record<string, unknown>>(query);
    return rows[0];
  });
}

test('protobuf, JSON and gRPC of every kind give the same rows', async (context) => {
  const grpc = new GrpcClient(collector.grpcUrl);
  context.after(() => grpc.close());
  const nanos = BigInt(Date.now()) * 1_000_000n + 123_456n;
  assert.deepEqual(await post(otlpMetricsProtobuf(nanos, 'protobuf'), 'application/x-protobuf'), {
    status: 200,
    text: '',
  });
  assert.deepEqual(await post(JSON.stringify(otlpMetricsJson(nanos, 'json')), 'application/json'), {
    ...{ status: 200, text: '{}' },
  });
  assert.equal((await grpc.call(grpcPaths.metrics, otlpMetricsProtobuf(nanos, 'grpc'))).code, 0);
  const rows: Record<string, Record<string, unknown>> = {};
  for (const kind of kinds) {
    const [first, ...others] = await Promise.all(['protobuf', 'json', 'grpc'].map((service) => rowOf(kind, service)));
    const plain = (row: Record<string, unknown>) => ({ ...row, ResourceAttributes: {} });
    for (const other of others) assert.deepEqual(plain(other), plain(first!));
    rows[kind] = first!;
  }
  assertValues(rows);
});

/** What otlp-metrics.ts says, as the tables have it. */
function assertValues(rows: Record<string, Record<string, unknown>>): void {
  const only = (kind: string, ...names: string[]) => Object.fromEntries(names.map((name) => [name, rows[kind]![name]]));
  assert.deepEqual(
    only('gauge', 'MetricName', 'MetricDescription', 'MetricUnit', 'Value', 'Flags', 'Attributes', 'ScopeName'),
    {
      ...{ MetricName: 'a.gauge', MetricDescription: 'd', MetricUnit: '1', Value: -7, Flags: 1 },
      ...{ Attributes: { model: 'm-1' }, ScopeName: 's' },
    },
  );
  assert.match(String(rows['gauge']!['TimeUnix']), /\.\d{3}123456Z$/);
  assert.deepEqual(
    only(
      'sum',
      'Value',
      'AggregationTemporality',
      'IsMonotonic',
      'Exemplars.Value',
      'Exemplars.TraceId',
      'Exemplars.FilteredAttributes',
    ),
    {
      ...{ Value: 2.5, AggregationTemporality: 2, IsMonotonic: true, 'Exemplars.Value': [0.5] },
      ...{ 'Exemplars.TraceId': ['ab'.repeat(16)], 'Exemplars.FilteredAttributes': [{ user: 'u' }] },
    },
  );
  assert.deepEqual(
    only('histogram', 'Count', 'Sum', 'Min', 'Max', 'BucketCounts', 'ExplicitBounds', 'AggregationTemporality'),
    {
      ...{
        Count: '4',
        Sum: 10.5,
        Min: 0.5,
        Max: 7,
        BucketCounts: ['1', '3'],
        ExplicitBounds: [2],
        AggregationTemporality: 1,
      },
    },
  );
  assert.deepEqual(
    only(
      'exponential_histogram',
      'Scale',
      'ZeroCount',
      'PositiveOffset',
      'PositiveBucketCounts',
      'NegativeOffset',
      'NegativeBucketCounts',
    ),
    {
      ...{ Scale: -1, ZeroCount: '1', PositiveOffset: -3, PositiveBucketCounts: ['1', '18446744073709551615'] },
      ...{ NegativeOffset: 2, NegativeBucketCounts: ['1'] },
    },
  );
  assert.deepEqual(only('summary', 'Count', 'Sum', 'ValueAtQuantiles.Quantile', 'ValueAtQuantiles.Value'), {
    ...{ Count: '4', Sum: 10.5, 'ValueAtQuantiles.Quantile': [0.5, 1], 'ValueAtQuantiles.Value': [2, 7] },
  });
}

test('what OpenTelemetry’s SDK measures is stored', async () => {
  const memory = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter: memory, exportIntervalMillis: 3_600_000 });
  const views = [{ instrumentName: 'e', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } as const }];
  const provider = new MeterProvider({
    resource: resourceFromAttributes({ 'service.name': 'sdk' }),
    readers: [reader],
    views,
  });
  const meter = provider.getMeter('m');
  meter.createCounter('c').add(3, { k: 'v' });
  for (const value of [1, 2, 300]) {
    meter.createHistogram('h').record(value);
    meter.createHistogram('e').record(value);
  }
  await provider.forceFlush();
  const [measured] = memory.getMetrics();
  const body = Buffer.from(ProtobufMetricsSerializer.serializeRequest(measured!)!);
  assert.equal((await post(body, 'application/x-protobuf')).status, 200);
  const sum = await rowOf('sum', 'sdk');
  assert.deepEqual([sum['MetricName'], sum['Value'], sum['Attributes']], ['c', 3, { k: 'v' }]);
  const histogram = await rowOf('histogram', 'sdk');
  assert.deepEqual([histogram['Count'], histogram['Sum'], histogram['Max']], ['3', 303, 300]);
  assert.equal((histogram['BucketCounts'] as string[]).length, (histogram['ExplicitBounds'] as number[]).length + 1);
  const exponential = await rowOf('exponential_histogram', 'sdk');
  const counts = (exponential['PositiveBucketCounts'] as string[]).map(Number);
  assert.equal(
    counts.reduce((all, each) => all + each, 0),
    3,
  );
  await provider.shutdown();
});

test('a data point that breaks a rule is refused alone', async () => {
  const nanos = String(BigInt(Date.now()) * 1_000_000n);
  const good = { timeUnixNano: nanos, asInt: '1' };
  const dataPoints = [good, { ...good, exemplars: [{ traceId: 'abcd' }] }];
  const request = { resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'x', gauge: { dataPoints } }] }] }] };
  const { status, text } = await post(JSON.stringify(request), 'application/json');
  assert.equal(status, 200);
  assert.deepEqual(JSON.parse(text), {
    partialSuccess: { rejectedDataPoints: '1', errorMessage: 'an exemplar has an id of 2 bytes instead of 16' },
  });
});
