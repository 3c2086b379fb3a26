import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { RowTable } from '../model/spool.ts';
import {
  encodeRecordHeader,
  encodeSegmentHeader,
  prepareRecord,
  recordsPerSegmentMax,
  type SegmentHeader,
  type SegmentScan,
  scanSegment,
  segmentHeaderBytes,
  tableSlices,
} from './format.ts';
import { numberedBatch } from './testing/records.ts';

const header: SegmentHeader = {
  spoolId: '0011223344556677',
  sequence: 42,
  marker: Buffer.from('8899aabbccddeeff', 'hex'),
  salt: 'deadbeef',
};

function segmentOf(paddings: readonly number[]): { bytes: Buffer; starts: number[] } {
  const parts: Uint8Array[] = [encodeSegmentHeader(header)];
  const starts: number[] = [];
  let offset = segmentHeaderBytes;
  for (const [index, padding] of paddings.entries()) {
    const record = prepareRecord(numberedBatch(index, padding), 1_700_000_000_000 + index);
    starts.push(offset);
    offset += record.bytes;
    parts.push(
      encodeRecordHeader(record, header.marker, 42 * recordsPerSegmentMax + index),
      ...(record.payload as Buffer[]),
    );
  }
  return { bytes: Buffer.concat(parts), starts };
}

function indexes(scan: SegmentScan): number[] {
  return scan.records.map(({ sequence }) => sequence - 42 * recordsPerSegmentMax);
}

test('what was encoded is scanned again, table by table', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(300), { maxLength: 20 }), (paddings) => {
      const { bytes } = segmentOf(paddings);
      const scan = scanSegment(bytes, header);
      assert.deepEqual(scan.header, header);
      assert.deepEqual(
        indexes(scan),
        paddings.map((_, index) => index),
      );
      assert.deepEqual(scan.damage, []);
      for (const [index, record] of scan.records.entries()) {
        const batch = numberedBatch(index, paddings[index]);
        assert.deepEqual(record.digest, batch.digest);
        assert.equal(record.timeMs, 1_700_000_000_000 + index);
        for (const { table, bytes: rows } of batch.rows) {
          assert.deepEqual(Buffer.concat(tableSlices(bytes, record, RowTable[table])), rows);
        }
      }
    }),
  );
});

test('a segment cut at any byte keeps every record before the cut', () => {
  const { bytes, starts } = segmentOf([5, 0, 40, 1]);
  for (let length = 0; length <= bytes.length; length++) {
    const scan = scanSegment(bytes.subarray(0, length), header);
    const whole = starts.filter((_, index) => (starts[index + 1] ?? bytes.length) <= length).length;
    assert.equal(scan.records.length, whole, `cut at ${length}`);
    const isClean = length === 0 || length === segmentHeaderBytes || length === bytes.length || starts.includes(length);
    assert.deepEqual(
      scan.damage.map(({ kind }) => kind),
      isClean ? [] : ['torn'],
      `cut at ${length}`,
    );
  }
});

test('a flipped bit costs at most the record that it is in', () => {
  const { bytes, starts } = segmentOf([5, 0, 40, 1]);
  for (let at = 0; at < bytes.length; at++) {
    for (const bit of [0, 3, 7]) {
      const flipped = Buffer.from(bytes);
      flipped[at] = flipped[at]! ^ (1 << bit);
      const hit = starts.findLastIndex((start) => start <= at);
      const scan = scanSegment(flipped, header);
      assert.deepEqual(
        indexes(scan),
        [0, 1, 2, 3].filter((index) => index !== hit),
        `byte ${at}, bit ${bit}`,
      );
      assert.equal(scan.damage.length, 1);
    }
  }
});

test('a tail of zeros is a torn write, other bytes at the end are corrupt', () => {
  const { bytes } = segmentOf([5]);
  assert.equal(scanSegment(Buffer.concat([bytes, Buffer.alloc(500)]), header).damage[0]?.kind, 'torn');
  assert.equal(scanSegment(Buffer.concat([bytes, Buffer.alloc(500, 7)]), header).damage[0]?.kind, 'corrupt');
});

test('a record that a stranger placed inside a payload is never read', () => {
  const forged = prepareRecord(numberedBatch(99), 0);
  const placed = Buffer.concat([
    encodeRecordHeader(forged, randomBytes(8), 42 * recordsPerSegmentMax + 1),
    ...(forged.payload as Buffer[]),
  ]);
  const rows = [{ table: 'otel_traces', bytes: placed, count: 1 } as const];
  const record = prepareRecord({ digest: Buffer.alloc(16), rows }, 0);
  const bytes = Buffer.concat([
    encodeSegmentHeader(header),
    encodeRecordHeader(record, header.marker, 42 * recordsPerSegmentMax),
    placed,
  ]);
  bytes[segmentHeaderBytes]! ^= 1;
  assert.deepEqual(scanSegment(bytes, header).records, []);
});

test('records of another segment or out of order are not taken', () => {
  const { bytes, starts } = segmentOf([0, 0]);
  const [first, second] = [bytes.subarray(starts[0], starts[1]), bytes.subarray(starts[1])];
  const swapped = Buffer.concat([bytes.subarray(0, segmentHeaderBytes), second, first]);
  assert.deepEqual(indexes(scanSegment(swapped, header)), [1]);
  const foreign = Buffer.concat([encodeSegmentHeader({ ...header, sequence: 43 }), first]);
  assert.deepEqual(scanSegment(foreign, header).records, []);
});

test('scanning any bytes gives ordered, disjoint ranges and never throws', () => {
  const { bytes } = segmentOf([5, 0, 40, 1, 2, 3]);
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((random) => Buffer.from(random)),
    fc
      .tuple(fc.nat(bytes.length), fc.nat(bytes.length))
      .map(([a, b]) => bytes.subarray(Math.min(a, b), Math.max(a, b))),
    fc.constant(header.marker),
    fc.constant(encodeSegmentHeader(header)),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const input = Buffer.concat(pieces);
      const scan = scanSegment(input, header);
      let at = scan.header ? segmentHeaderBytes : 0;
      const ranges = [
        ...scan.damage,
        ...scan.records.map((record) => ({
          start: record.offset,
          end: record.offset + record.headerBytes + record.payloadBytes,
        })),
      ].sort((a, b) => a.start - b.start);
      for (const { start, end } of ranges) {
        assert.equal(start, at);
        assert.ok(end > start);
        at = end;
      }
      if (input.length >= segmentHeaderBytes) assert.equal(at, input.length);
    }),
    { numRuns: 2000 },
  );
});
