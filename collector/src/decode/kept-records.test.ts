import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createFieldTable } from '../model/fields.ts';
import { ProtobufWriter } from '../model/protobuf-writer.ts';
import { recordsOf } from '../originals.ts';
import { formerField } from './envelope.ts';
import type { Signal } from './json.ts';
import { withRecords } from './kept-records.ts';
import { LogDecoder } from './log-decoder.ts';
import { MetricDecoder } from './metric-decoder.ts';
import { TraceDecoder } from './trace-decoder.ts';
import { WireReader } from './wire.ts';

const fields = createFieldTable();
const [spans, logs, points] = [new TraceDecoder(fields), new LogDecoder(fields), new MetricDecoder(fields)];
const decoders = {
  traces: (bytes: Buffer) => recordsIn(spans.decode(bytes), recordsOf.traces),
  logs: (bytes: Buffer) => recordsIn(logs.decode(bytes), recordsOf.logs),
  metrics: (bytes: Buffer) => recordsIn(points.decode(bytes), recordsOf.metrics),
};

function recordsIn<Batch>(
  decoded: { status: 'ok'; batch: Batch } | { status: 'malformed'; message: string },
  of: (batch: Batch) => { count: number; start(record: number): number },
): number[] {
  assert.ok(decoded.status === 'ok', JSON.stringify(decoded));
  const records = of(decoded.batch);
  return Array.from({ length: records.count }, (_, record) => records.start(record));
}

/** A field that OTLP does not have, with a value that tells where it was. */
function unknown(writer: ProtobufWriter, value: number): void {
  writer.varint(777, value);
  writer.string(778, `unknown ${value}`);
}

interface Shape {
  readonly resources: readonly (readonly (readonly number[])[])[];
}

const shape: fc.Arbitrary<Shape> = fc.record({
  resources: fc.array(fc.array(fc.array(fc.nat(300), { maxLength: 4 }), { maxLength: 3 }), { maxLength: 3 }),
});

/** A request with records of these sizes, and unknown fields everywhere around them. */
function requestOf(signal: Signal, { resources }: Shape): { readonly bytes: Buffer; readonly records: Buffer[] } {
  const writer = new ProtobufWriter();
  const records: Buffer[] = [];
  let number = 0;
  const record = (size: number): Buffer => {
    number++;
    const inner = new ProtobufWriter();
    if (signal === 'traces') {
      inner.bytes(1, Buffer.alloc(16, number));
      inner.bytes(2, Buffer.alloc(8, number));
    }
    unknown(inner, number);
    inner.string(900, 'x'.repeat(size));
    const bytes = inner.take();
    records.push(bytes);
    return bytes;
  };
  for (const scopes of resources) {
    unknown(writer, number);
    writer.message(1, () => {
      writer.message(1, () => unknown(writer, number));
      for (const sizes of scopes) {
        writer.message(2, () => {
          writer.message(1, () => writer.string(1, 'scope'));
          for (const size of sizes) {
            if (signal === 'metrics') {
              writer.message(2, () => {
                writer.string(1, 'metric');
                writer.message(number % 2 === 0 ? 5 : 7, () => writer.bytes(1, record(size)));
              });
            } else writer.bytes(2, record(size));
            unknown(writer, number);
          }
        });
      }
      writer.string(3, 'schema');
    });
  }
  return { bytes: writer.take(), records };
}

for (const signal of ['traces', 'logs', 'metrics'] as const) {
  test(`${signal}: what is kept is kept byte for byte, what is not is gone, and what is around stays`, () => {
    fc.assert(
      fc.property(shape, fc.func(fc.boolean()), (given, keeps) => {
        const { bytes, records } = requestOf(signal, given);
        const starts = decoders[signal](bytes);
        assert.equal(starts.length, records.length);
        const kept = starts.filter((start) => keeps(start));
        const cut = withRecords(bytes, signal, new Set(kept));
        const wanted = kept.map((start) => records[starts.indexOf(start)]!);
        const found = decoders[signal](cut).map((start, index) => cut.subarray(start, start + wanted[index]!.length));
        assert.deepEqual(found, wanted);
        if (kept.length === starts.length) assert.equal(cut, bytes);
        else assert.ok(cut.length < bytes.length);
        // One before each resource: fields of the request itself.
        assert.equal(topLevel(cut), given.resources.length);
      }),
      { numRuns: 100 },
    );
  });
}

/** How often the field 777 stands in the request itself. */
function topLevel(bytes: Buffer): number {
  const reader = new WireReader();
  reader.reset(bytes);
  let found = 0;
  while (reader.pos < bytes.length) {
    const tag = reader.tag(bytes.length);
    if (tag >>> 3 === 777) found++;
    reader.skip(tag & 7, bytes.length);
  }
  return found;
}

test('a metric keeps its other points, and goes when it has none', () => {
  const writer = new ProtobufWriter();
  writer.message(1, () =>
    writer.message(2, () => {
      for (const name of ['a', 'b']) {
        writer.message(2, () => {
          writer.string(1, name);
          writer.message(5, () => {
            writer.message(1, () => writer.fixed64(3, 1n));
            writer.message(1, () => writer.fixed64(3, 2n));
          });
        });
      }
    }),
  );
  const bytes = writer.take();
  const starts = decoders.metrics(bytes);
  const text = (kept: readonly number[]) => withRecords(bytes, 'metrics', new Set(kept)).toString('latin1');
  assert.equal(decoders.metrics(Buffer.from(text([starts[1]!]), 'latin1')).length, 1);
  assert.ok(text([starts[1]!]).includes('\x01a') && !text([starts[1]!]).includes('\x01b'));
  assert.equal(text([]), '');
});

test('what stands where OTLP had records before 1.0 goes with what is refused', () => {
  const writer = new ProtobufWriter();
  writer.message(1, () => {
    writer.message(2, () => {
      for (const id of [1, 2]) {
        writer.message(2, () => {
          writer.bytes(1, Buffer.alloc(16, id));
          writer.bytes(2, Buffer.alloc(8, id));
        });
      }
    });
    writer.message(formerField, () => writer.message(2, () => writer.string(5, 'former')));
  });
  const bytes = writer.take();
  const starts = decoders.traces(bytes);
  assert.ok(!withRecords(bytes, 'traces', new Set([starts[0]!])).includes('former'));
});
