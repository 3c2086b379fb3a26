import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { MetricDecoder } from '../decode/metric-decoder.ts';
import { createFieldTable } from '../model/fields.ts';
import { metricKinds, Point } from '../model/metric-batch.ts';
import { registryAsOtlp } from './otlp.ts';

// That names, values and times are right is seen in ClickHouse, in test/own-metrics.test.ts.

async function written(registry: Registry, pointsMax: number) {
  const request = registryAsOtlp(await registry.getMetricsAsJSON(), {
    ...{ resource: { 'service.name': 's' }, scope: { name: 'scope', version: '1' } },
    ...{ startNanos: 1_000n, nowNanos: 2_000n, pointsMax },
  });
  const decoded = new MetricDecoder(createFieldTable()).decode(request.bytes);
  assert.ok(decoded.status === 'ok' && decoded.batch.rejected.count === 0);
  const { batch } = decoded;
  const kinds = Array.from({ length: batch.pointCount }, (_, i) => batch.points[i * Point.stride + Point.kind]!);
  return { ...request, kinds: kinds.map((kind) => metricKinds[kind]) };
}

function registryOf(colours: readonly string[]): Registry {
  const registry = new Registry();
  const registers = [registry];
  const gauge = new Gauge({ name: 'a_gauge', help: 'h', labelNames: ['colour'], registers });
  const histogram = new Histogram({ name: 'a_histogram', help: 'h', buckets: [1], labelNames: ['colour'], registers });
  new Counter({ name: 'a_counter_total', help: 'h', registers });
  for (const colour of colours) {
    gauge.set({ colour }, 1);
    histogram.observe({ colour }, 2);
  }
  return registry;
}

test('each choice of labels is one data point, also of a histogram', async () => {
  const { kinds, points, leftOut } = await written(registryOf(['red', 'blue']), 100);
  assert.deepEqual(kinds, ['gauge', 'gauge', 'histogram', 'histogram', 'sum']);
  assert.deepEqual([points, leftOut], [5, 0]);
});

test('what is over the bound is left out and counted', async () => {
  const { kinds, points, leftOut } = await written(registryOf(['red', 'blue', 'green']), 4);
  assert.deepEqual(kinds, ['gauge', 'gauge', 'gauge', 'histogram']);
  assert.deepEqual([points, leftOut], [4, 3]);
});

test('a gauge that is no finite number has no data point', async () => {
  const registry = new Registry();
  const gauge = new Gauge({ name: 'a_gauge', help: 'h', labelNames: ['of'], registers: [registry] });
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -1.5]) gauge.set({ of: String(value) }, value);
  assert.equal((await written(registry, 100)).points, 1);
});
