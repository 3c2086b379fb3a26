import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeAs } from '../../decode/json.ts';
import { MetricDecoder } from '../../decode/metric-decoder.ts';
import { createFieldTable } from '../../model/fields.ts';
import { createRedactor } from '../../redact/row-redactor.ts';
import { MetricRowEncoder } from './otel-metrics.ts';

test('what the profile forbids is in no column: names, descriptions, units, schemas, scope, attributes', () => {
  const secret = 'AKIAIOSFODNN7EXAMPLQ';
  const attributes = [{ key: secret, value: { stringValue: secret } }];
  const exemplar = { filteredAttributes: attributes, asInt: '1' };
  const gauge = {
    dataPoints: [{ attributes, timeUnixNano: '1900000000000000000', asInt: '1', exemplars: [exemplar] }],
  };
  const metric = { name: `a ${secret}`, description: `b ${secret}`, unit: `c ${secret}`, gauge };
  const scope = { name: `d ${secret}`, version: `e ${secret}`, attributes };
  const scopeMetrics = [{ scope, schemaUrl: `f ${secret}`, metrics: [metric] }];
  const json = { resourceMetrics: [{ resource: { attributes }, schemaUrl: `g ${secret}`, scopeMetrics }] };
  const fields = createFieldTable();
  const encoder = new MetricRowEncoder(fields, createRedactor({ profile: 'secrets', key: Buffer.alloc(32), fields }));
  const outcome = decodeAs(new MetricDecoder(fields), 'metrics', 'json', Buffer.from(JSON.stringify(json)));
  assert.ok(outcome.status === 'ok');
  const [rows] = encoder.encode(outcome.batch, { fromMs: 0, toMs: 4e12 });
  const bytes = Buffer.from(rows!.bytes);
  assert.ok(!bytes.includes(secret));
  for (const letter of 'abcdefg') assert.ok(bytes.includes(`${letter} [`), letter);
});
