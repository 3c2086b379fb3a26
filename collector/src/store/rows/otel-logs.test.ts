import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeAs } from '../../decode/json.ts';
import { LogDecoder } from '../../decode/log-decoder.ts';
import { createFieldTable } from '../../model/fields.ts';
import type { RedactionProfile } from '../../model/redaction.ts';
import { createRedactor } from '../../redact/row-redactor.ts';
import { otlpLogsProtobuf, type TestLog } from '../../testing/otlp.ts';
import { LogRowEncoder } from './otel-logs.ts';

const nowMs = 1_900_000_000_000;
const range = { fromMs: nowMs - 86_400_000, toMs: nowMs + 86_400_000 };

function encoded(logs: readonly TestLog[], profile: RedactionProfile = 'off') {
  const fields = createFieldTable();
  const encoder = new LogRowEncoder(fields, createRedactor({ profile, key: Buffer.alloc(32), fields }));
  const outcome = new LogDecoder(fields).decode(otlpLogsProtobuf(logs));
  assert.ok(outcome.status === 'ok');
  return { encoder, rows: encoder.encode(outcome.batch, range, () => []) };
}

test('a time that cannot be is moved into the range, and kept beside', () => {
  const { encoder, rows } = encoded([{ nanos: 1n }, { nanos: BigInt(nowMs) * 1_000_000n }]);
  assert.equal(rows.count, 2);
  assert.equal(encoder.clamped, 1);
  assert.ok(Buffer.from(rows.bytes).includes('spanwarden.original_timestamp'));
});

test('a record without a time has the one at which it was observed', () => {
  const { encoder } = encoded([{ nanos: 0n }]);
  assert.equal(encoder.clamped, 1, 'neither was sent: 1970 is moved');
});

test('what the profile forbids is in no column: body, nested body, attribute', () => {
  const secret = 'AKIAIOSFODNN7EXAMPLQ';
  const logs: TestLog[] = [
    { body: `key ${secret}`, attributes: { prompt: `use ${secret}` } },
    { body: { message: { content: `and ${secret}` } }, attributes: { response: `use ${secret}` } },
  ];
  const has = (profile: RedactionProfile, text: string) =>
    Buffer.from(encoded(logs, profile).rows.bytes).includes(text);
  assert.ok(has('off', secret));
  assert.ok(!has('secrets', secret));
  assert.ok(has('secrets', 'use '));
  for (const text of [secret, 'use ', 'key ', 'and ']) assert.ok(!has('metadata_only', text), text);
});

test('nor in the columns that are no attributes: names, severity, schemas, scope', () => {
  const secret = 'AKIAIOSFODNN7EXAMPLQ';
  const record = { timeUnixNano: `${nowMs}000000`, severityText: `a ${secret}`, eventName: `b ${secret}` };
  const scope = {
    name: `c ${secret}`,
    version: `d ${secret}`,
    attributes: [{ key: secret, value: { stringValue: secret } }],
  };
  const scopeLogs = [{ scope, schemaUrl: `e ${secret}`, logRecords: [record] }];
  const json = { resourceLogs: [{ schemaUrl: `f ${secret}`, scopeLogs }] };
  const fields = createFieldTable();
  const encoder = new LogRowEncoder(fields, createRedactor({ profile: 'secrets', key: Buffer.alloc(32), fields }));
  const outcome = decodeAs(new LogDecoder(fields), 'logs', 'json', Buffer.from(JSON.stringify(json)));
  assert.ok(outcome.status === 'ok');
  const bytes = Buffer.from(encoder.encode(outcome.batch, range, () => []).bytes);
  assert.ok(!bytes.includes(secret));
  for (const kept of ['a [', 'b [', 'c [', 'd [', 'e [', 'f [']) assert.ok(bytes.includes(kept), kept);
});
