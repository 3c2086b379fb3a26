import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createFieldTable } from '../model/fields.ts';
import { ProtobufWriter } from '../model/protobuf-writer.ts';
import { decodeAs, type Signal } from './json.ts';
import { LogDecoder } from './log-decoder.ts';
import { MetricDecoder } from './metric-decoder.ts';
import { TraceDecoder } from './trace-decoder.ts';

const fields = createFieldTable();
const decoders = { traces: new TraceDecoder(fields), logs: new LogDecoder(fields), metrics: new MetricDecoder(fields) };

interface Rejected {
  readonly count: number;
  readonly message: string;
}

function rejectedIn(signal: Signal, encoding: 'protobuf' | 'json', bytes: Buffer): Rejected {
  const outcome = decodeAs<{ rejected: Rejected }>(decoders[signal], signal, encoding, bytes);
  assert.ok(outcome.status === 'ok', JSON.stringify(outcome));
  return outcome.batch.rejected;
}

const id = { traceId: '0a'.repeat(16), spanId: '0b'.repeat(8) };
const point = { timeUnixNano: '1', asInt: '1' };
const library = { instrumentationLibrary: { name: 'old', version: '0.9' } };

/** Requests as JSON, with as many records as are said. */
const requests: readonly [Signal, string, number, object][] = [
  [
    'traces',
    'spans in instrumentation_library_spans, ',
    3,
    {
      resourceSpans: [
        { instrumentationLibrarySpans: [{ ...library, spans: [id, id] }, { ...library, spans: [id] }, library] },
      ],
    },
  ],
  [
    'logs',
    'log records in instrumentation_library_logs, ',
    2,
    { resourceLogs: [{ instrumentationLibraryLogs: [{ ...library, logRecords: [{}, { body: { intValue: 1 } }] }] }] },
  ],
  [
    'metrics',
    'data points in instrumentation_library_metrics, ',
    3,
    {
      resourceMetrics: [
        {
          instrumentationLibraryMetrics: [
            {
              ...library,
              metrics: [
                { name: 'a', gauge: { dataPoints: [point, point] } },
                { name: 'b', sum: { dataPoints: [point] } },
              ],
            },
          ],
        },
      ],
    },
  ],
];

describe('Partial Success: records where OTLP had them before 1.0', () => {
  for (const [signal, message, count, request] of requests) {
    test(`are counted as rejected, and it is said what to update: ${signal}`, () => {
      const rejected = rejectedIn(signal, 'json', Buffer.from(JSON.stringify(request)));
      assert.equal(rejected.count, count);
      assert.ok(rejected.message.startsWith(message), rejected.message);
      assert.match(rejected.message, /update the SDK or collector .* Scope(?:Spans|Logs|Metrics)$/);
    });
  }

  test('of one resource do not keep those of another from being taken', () => {
    const request = {
      resourceSpans: [
        { instrumentationLibrarySpans: [{ spans: [id] }] },
        { scopeSpans: [{ spans: [id, id] }], schemaUrl: 'x' },
      ],
    };
    const outcome = decodeAs(decoders.traces, 'traces', 'json', Buffer.from(JSON.stringify(request)));
    assert.ok(outcome.status === 'ok');
    assert.deepEqual([outcome.batch.spanCount, outcome.batch.rejected.count], [2, 1]);
  });

  test('are the same once more beside scopes of today, and not counted', () => {
    const request = {
      resourceSpans: [{ instrumentationLibrarySpans: [{ spans: [id] }], scopeSpans: [{ spans: [id] }] }],
    };
    assert.equal(rejectedIn('traces', 'json', Buffer.from(JSON.stringify(request))).count, 0);
  });

  test('are found in protobuf between other fields, and cut bytes are malformed', () => {
    const writer = new ProtobufWriter();
    writer.message(1, () => {
      writer.message(1000, () => {
        writer.message(1, () => writer.string(1, 'old'));
        writer.message(2, () => writer.bytes(1, Buffer.alloc(16, 1)));
        writer.varint(77, 1);
        writer.message(2, () => undefined);
        writer.string(3, 'schema');
      });
      writer.string(3, 'schema');
    });
    const bytes = writer.take();
    assert.equal(rejectedIn('traces', 'protobuf', bytes).count, 2);
    const cut = new ProtobufWriter();
    cut.message(1, () => cut.bytes(1000, Buffer.from([0x12, 0x7f])));
    assert.equal(decoders.traces.decode(cut.take()).status, 'malformed');
  });
});
