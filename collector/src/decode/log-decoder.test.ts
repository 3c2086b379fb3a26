import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JsonLogsSerializer, ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer';
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import fc from 'fast-check';
import { createFieldTable } from '../model/fields.ts';
import { Log, type LogBatch } from '../model/log-batch.ts';
import { otlpLogsJson, otlpLogsProtobuf, type TestLog } from '../testing/otlp.ts';
import { otlpJsonToProtobuf } from './json.ts';
import { type DecodedLogs, LogDecoder } from './log-decoder.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';

function decoded(bytes: Buffer): DecodedLogs {
  const outcome = new LogDecoder(createFieldTable()).decode(bytes);
  assert.equal(outcome.status, 'ok');
  return (outcome as { batch: DecodedLogs }).batch;
}

function shown(batch: LogBatch, log = 0): object {
  const at = log * Log.stride;
  const { logs } = batch;
  const text = (column: number) => batch.text(logs[at + column]!, logs[at + column + 1]!);
  return {
    traceId: batch.hex(logs[at + Log.traceId]!, 16),
    spanId: batch.hex(logs[at + Log.spanId]!, 8),
    nanos: batch.nanos(logs[at + Log.time]!),
    severity: logs[at + Log.severityNumber],
    severityText: text(Log.severityText),
    eventName: text(Log.eventName),
    body: logs[at + Log.body]! < 0 ? undefined : batch.attributeValue(logs[at + Log.body]!),
    attributes: logs[at + Log.attributeCount],
  };
}

test('what the OTel SDK sends in protobuf and in JSON reads alike', () => {
  const exporter = new InMemoryLogRecordExporter();
  const provider = new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter })] });
  provider.getLogger('agent', '1.2').emit({
    eventName: 'gen_ai.user.message',
    timestamp: 1_800_000_000_000,
    severityNumber: 9,
    severityText: 'INFO',
    body: { content: 'Grüße', tool_calls: [{ id: 'a' }] },
    attributes: { 'gen_ai.system': 'openai', n: 1.5, list: ['x', 'y'] },
  });
  const records = exporter.getFinishedLogRecords();
  const protobuf = decoded(Buffer.from(ProtobufLogsSerializer.serializeRequest(records)!));
  const translated = otlpJsonToProtobuf(Buffer.from(JsonLogsSerializer.serializeRequest(records)!), 'logs');
  assert.equal(translated.status, 'ok');
  const json = decoded((translated as { bytes: Buffer }).bytes);
  assert.deepEqual(shown(json), shown(protobuf));
  assert.deepEqual(JSON.parse(JSON.stringify(shown(protobuf), (_k, v) => (typeof v === 'bigint' ? String(v) : v))), {
    traceId: '',
    spanId: '',
    nanos: '1800000000000000000',
    severity: 9,
    severityText: 'INFO',
    eventName: 'gen_ai.user.message',
    body: { content: 'Grüße', tool_calls: [{ id: 'a' }] },
    attributes: 3,
  });
});

test('ids of another length cost their record only; zeros are no ids', () => {
  const batch = decoded(
    otlpLogsProtobuf([
      { eventName: 'short', traceId: 'abcd' },
      { eventName: 'good', traceId, spanId },
      { eventName: 'zero', traceId: '0'.repeat(32), spanId: '0'.repeat(16) },
    ]),
  );
  assert.equal(batch.logCount, 2);
  assert.deepEqual(batch.rejected, { count: 1, message: 'trace_id has 2 bytes instead of 16' });
  assert.deepEqual(
    [0, 1].map((log) => (shown(batch, log) as { traceId: string }).traceId),
    [traceId, ''],
  );
});

test('a body that nests too deep costs its record only', () => {
  let body: TestLog['body'] = 'x';
  for (let depth = 0; depth < 80; depth++) body = [body!];
  const batch = decoded(otlpLogsProtobuf([{ body }, { body: ['flat'] }]));
  assert.equal(batch.logCount, 1);
  assert.match(batch.rejected.message, /nests deeper/);
});

test('a body before, between and behind the attributes leaves them in one run', () => {
  const record = otlpLogsJson([{ body: { a: ['b'] }, attributes: { x: 1, y: 'z', z: [1] } }]);
  const outcome = otlpJsonToProtobuf(Buffer.from(JSON.stringify(record)), 'logs');
  const batch = decoded((outcome as { bytes: Buffer }).bytes);
  const first = batch.logs[Log.attributes]!;
  assert.deepEqual(
    [0, 1, 2].map((i) => batch.attributeValue(first + i)),
    [1, 'z', [1]],
  );
});

test('a trace request sent to the wrong place is malformed or empty, never a throw', () => {
  const outcome = new LogDecoder(createFieldTable()).decode(Buffer.from([10, 3, 18, 9, 9]));
  assert.equal(outcome.status, 'malformed');
});

test('fuzz: any bytes, and any valid request that was cut or changed, give a batch or a known error', () => {
  const decoder = new LogDecoder(createFieldTable());
  const valid = otlpLogsProtobuf([
    { eventName: 'e', traceId, spanId, body: { a: [1, { b: 'c' }] }, attributes: { k: 'v', l: [1, 2] } },
  ]);
  const changed = fc.tuple(fc.nat(valid.length - 1), fc.nat(255), fc.nat(valid.length)).map(([at, byte, length]) => {
    const copy = Buffer.from(valid);
    copy[at] = byte;
    return copy.subarray(0, length);
  });
  const bytes = fc.oneof(
    changed,
    fc.uint8Array({ maxLength: 200 }).map((each) => Buffer.from(each)),
  );
  fc.assert(
    fc.property(bytes, (input) => {
      const outcome = decoder.decode(input);
      if (outcome.status === 'malformed') assert.match(outcome.code, /^SW_OTLP_/);
      else for (let log = 0; log < outcome.batch.logCount; log++) shown(outcome.batch, log);
    }),
    { numRuns: 3000 },
  );
});
