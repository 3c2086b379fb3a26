import {
  type Translation,
  type WriteFields,
  writeAttributes,
  writeDouble,
  writeFixed64,
  writeId,
  writeMessage,
  writeMessages,
  writeString,
  writeVarint,
} from './json-fields.ts';
import { type JsonKey, keys } from './json-keys.ts';

/** The kinds by their name in JSON: field of Metric, and how their points are written. */
const kinds: readonly [name: JsonKey, field: number, write: WriteFields][] = [
  [keys.gauge, 5, writeNumberPoint],
  [keys.sum, 7, writeNumberPoint],
  [keys.histogram, 9, writeHistogramPoint],
  [keys.exponentialHistogram, 10, writeExponentialPoint],
  [keys.summary, 11, writeSummaryPoint],
];

/** A Metric of OTLP/JSON as protobuf; point-fields.ts has the numbers of the fields. */
export function writeMetric(to: Translation, metric: number): void {
  writeString(to, 1, metric, keys.name);
  writeString(to, 2, metric, keys.description);
  writeString(to, 3, metric, keys.unit);
  for (const [name, field, writePoint] of kinds) {
    writeMessage(to, field, to.json.object(metric, name), (_, data) => {
      writeMessages(to, 1, to.json.list(data, keys.dataPoints), writePoint);
      writeVarint(to, 2, data, keys.aggregationTemporality);
      if (to.json.boolean(data, keys.isMonotonic)) to.writer.varint(3, 1);
    });
  }
}

function writeTimes(to: Translation, point: number): void {
  writeFixed64(to, 2, point, keys.startTimeUnixNano);
  writeFixed64(to, 3, point, keys.timeUnixNano);
}

function writeNumberPoint(to: Translation, point: number): void {
  writeTimes(to, point);
  writeDouble(to, 4, point, keys.asDouble);
  writeExemplars(to, 5, point);
  writeFixed64(to, 6, point, keys.asInt);
  writeAttributes(to, 7, point);
  writeVarint(to, 8, point, keys.flags);
}

function writeHistogramPoint(to: Translation, point: number): void {
  writeTimes(to, point);
  writeFixed64(to, 4, point, keys.count);
  writeDouble(to, 5, point, keys.sum);
  for (const count of to.json.integers(point, keys.bucketCounts)) to.writer.fixed64(6, count);
  for (const bound of to.json.doubles(point, keys.explicitBounds)) to.writer.double(7, bound);
  writeExemplars(to, 8, point);
  writeAttributes(to, 9, point);
  writeVarint(to, 10, point, keys.flags);
  writeDouble(to, 11, point, keys.min);
  writeDouble(to, 12, point, keys.max);
}

function writeExponentialPoint(to: Translation, point: number): void {
  writeAttributes(to, 1, point);
  writeTimes(to, point);
  writeFixed64(to, 4, point, keys.count);
  writeDouble(to, 5, point, keys.sum);
  writeZigzag(to, 6, point, keys.scale);
  writeFixed64(to, 7, point, keys.zeroCount);
  writeMessage(to, 8, to.json.object(point, keys.positive), writeBuckets);
  writeMessage(to, 9, to.json.object(point, keys.negative), writeBuckets);
  writeVarint(to, 10, point, keys.flags);
  writeExemplars(to, 11, point);
  writeDouble(to, 12, point, keys.min);
  writeDouble(to, 13, point, keys.max);
}

function writeBuckets(to: Translation, buckets: number): void {
  writeZigzag(to, 1, buckets, keys.offset);
  for (const count of to.json.integers(buckets, keys.bucketCounts)) to.writer.varint(2, count);
}

function writeSummaryPoint(to: Translation, point: number): void {
  writeTimes(to, point);
  writeFixed64(to, 4, point, keys.count);
  writeDouble(to, 5, point, keys.sum);
  writeMessages(to, 6, to.json.list(point, keys.quantileValues), writeQuantile);
  writeAttributes(to, 7, point);
  writeVarint(to, 8, point, keys.flags);
}

function writeQuantile(to: Translation, quantile: number): void {
  writeDouble(to, 1, quantile, keys.quantile);
  writeDouble(to, 2, quantile, keys.value);
}

function writeExemplars(to: Translation, field: number, point: number): void {
  writeMessages(to, field, to.json.list(point, keys.exemplars), writeExemplar);
}

function writeExemplar(to: Translation, exemplar: number): void {
  writeFixed64(to, 2, exemplar, keys.timeUnixNano);
  writeDouble(to, 3, exemplar, keys.asDouble);
  writeId(to, 4, exemplar, keys.spanId);
  writeId(to, 5, exemplar, keys.traceId);
  writeFixed64(to, 6, exemplar, keys.asInt);
  writeAttributes(to, 7, exemplar, keys.filteredAttributes);
}

/** sint32: https://protobuf.dev/programming-guides/encoding/#signed-ints */
function writeZigzag({ json, writer }: Translation, field: number, from: number, key: JsonKey): void {
  const value = json.integer(from, key);
  if (value === undefined) return;
  const wide = BigInt(value);
  writer.varint(field, BigInt.asUintN(32, (wide << 1n) ^ (wide >> 31n)));
}
