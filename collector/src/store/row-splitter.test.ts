import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { rowEnds } from './row-splitter.ts';
import { RowWriter } from './rows/rowbinary.ts';

const types = [
  'DateTime64(9)',
  'LowCardinality(String)',
  'Map(LowCardinality(String), Array(String))',
  'Nullable(UInt8)',
];

interface Row {
  readonly time: bigint;
  readonly name: string;
  readonly map: readonly (readonly [string, readonly string[]])[];
  readonly flag: number | null;
}

const row: fc.Arbitrary<Row> = fc.record({
  time: fc.bigInt(0n, 2n ** 60n),
  name: fc.string({ unit: 'grapheme', maxLength: 200 }),
  map: fc.array(fc.tuple(fc.string(), fc.array(fc.string(), { maxLength: 3 })), { maxLength: 3 }),
  flag: fc.option(fc.nat(255)),
});

function encode(rows: readonly Row[]): { readonly bytes: Buffer; readonly ends: number[] } {
  const ends: number[] = [];
  const parts = rows.map(({ time, name, map, flag }) => {
    const writer = new RowWriter();
    writer.i64(time);
    writer.string(name);
    writer.varint(map.length);
    for (const [key, values] of map) {
      writer.string(key);
      writer.varint(values.length);
      for (const value of values) writer.string(value);
    }
    writer.u8(flag === null ? 1 : 0);
    if (flag !== null) writer.u8(flag);
    return Buffer.from(writer.take());
  });
  for (const part of parts) ends.push((ends.at(-1) ?? 0) + part.length);
  return { bytes: Buffer.concat(parts), ends };
}

test('rows of any values end where they were ended, and cut bytes give the whole rows before the cut', () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 8 }), fc.double({ min: 0, max: 1, noNaN: true }), (rows, share) => {
      const { bytes, ends } = encode(rows);
      assert.deepEqual(rowEnds(bytes, rows.length, types), ends);
      const cut = Math.floor(bytes.length * share);
      assert.deepEqual(
        rowEnds(bytes.subarray(0, cut), rows.length, types),
        ends.filter((end) => end <= cut),
      );
    }),
  );
});

test('bytes of strangers end within the bytes, and never throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      for (const end of rowEnds(Buffer.from(bytes), 5, types)!) assert.ok(end <= bytes.length);
    }),
  );
});

test('a type that is not known is said, not guessed', () => {
  assert.equal(rowEnds(Buffer.alloc(9), 1, ['Tuple(String, UInt8)']), undefined);
  assert.equal(rowEnds(Buffer.alloc(9), 1, ['']), undefined);
  assert.deepEqual(rowEnds(Buffer.alloc(12), 3, ['FixedString(4)']), [4, 8, 12]);
  assert.deepEqual(rowEnds(Buffer.alloc(16), 1, ["SimpleAggregateFunction(max, DateTime64(9, 'UTC'))", 'UUID']), []);
});
