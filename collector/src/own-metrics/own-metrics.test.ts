import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createMetrics } from '../metrics.ts';
import { createFieldTable } from '../model/fields.ts';
import { telemetryConfigSchema } from '../own-traces/config.ts';
import { spoolConfigSchema, spoolOptions } from '../spool/config.ts';
import type { Spool } from '../spool/contract.ts';
import { openSpool } from '../spool/spool.ts';
import { OwnMetrics } from './own-metrics.ts';

let directory: string;
let spool: Spool;
before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'spanwarden-own-metrics-'));
  spool = await openSpool(spoolOptions(spoolConfigSchema.parse({}), directory));
});
after(async () => {
  await spool.close();
  rmSync(directory, { recursive: true, force: true });
});

function ownMetrics(bytesMax: number) {
  const metrics = createMetrics();
  const warnings: string[] = [];
  const telemetry = telemetryConfigSchema.parse({ metrics: { interval_ms: 'off' } });
  const own = new OwnMetrics({
    ...{ config: { telemetry, spool: { bytes_max: bytesMax } }, metrics, fields: createFieldTable(), spool },
    resource: { 'service.name': 's', 'service.version': '1', 'service.instance.id': 'i' },
    logger: { warn: (fields, message) => warnings.push(`${message}: ${JSON.stringify(fields)}`) },
  });
  const gauge = async (name: string) => (await metrics.registry.getSingleMetric(name)!.get()).values[0]?.value;
  return { own, warnings, gauge };
}

test('a batch is one record with rows of three tables, and who asks meanwhile waits for it', async () => {
  const { own, gauge } = ownMetrics(2 ** 30);
  await Promise.all([own.write(), own.write()]);
  assert.equal(spool.stats().appendedRecords, 1);
  assert.equal(await gauge('spanwarden_telemetry_stored_batches'), 1);
  await spool.seal();
  const segment = await spool.next(AbortSignal.timeout(5_000));
  assert.deepEqual(segment?.tables.map(({ table }) => table).sort(), [
    ...['otel_metrics_gauge', 'otel_metrics_histogram', 'otel_metrics_sum'],
  ]);
});

test('while half of the spool waits nothing is written; it is counted each time and said once', async () => {
  const { own, warnings, gauge } = ownMetrics(spool.stats().bytes * 2 - 2);
  const { appendedRecords } = spool.stats();
  await own.write();
  await own.write();
  assert.equal(spool.stats().appendedRecords, appendedRecords);
  assert.equal(await gauge('spanwarden_telemetry_refused_batches'), 2);
  assert.equal(warnings.length, 1, warnings.join());
});

test('what the spool refuses is counted and said, too', async () => {
  const { own, warnings, gauge } = ownMetrics(2 ** 30);
  await spool.close();
  await own.write();
  assert.equal(await gauge('spanwarden_telemetry_refused_batches'), 1);
  assert.match(warnings[0] ?? '', /SW_SHUTTING_DOWN/);
});
