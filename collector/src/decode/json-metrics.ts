import type { ProtobufWriter } from '../model/protobuf-writer.ts';
import { writeAttributes, writeEnum, writeFixed64, writeId, writeString } from './json-fields.ts';
import { type JsonKey, keys } from './json-keys.ts';
import type { JsonObject } from './json-object.ts';

type WritePoint = (writer: ProtobufWriter, point: JsonObject) => void;

/** The kinds by their name in JSON: field of Metric, and how their points are written. */
const kinds: readonly [name: JsonKey, field: number, write: WritePoint][] = [
  [keys.gauge, 5, writeNumberPoint],
  [keys.sum, 7, writeNumberPoint],
  [keys.histogram, 9, writeHistogramPoint],
  [keys.exponentialHistogram, 10, writeExponentialPoint],
  [keys.summary, 11, writeSummaryPoint],
];

/** A Metric of OTLP/JSON as protobuf; point-fields.ts has the numbers of the fields. */
export function writeMetric(writer: ProtobufWriter, metric: JsonObject): void {
  writeString(writer, 1, metric, keys.name);
  writeString(writer, 2, metric, keys.description);
  writeString(writer, 3, metric, keys.unit);
  for (const [name, field, write] of kinds) {
    const data = metric.object(name);
    if (data === undefined) continue;
    writer.message(field, () => {
      for (const point of data.objects(keys.dataPoints)) writer.message(1, () => write(writer, point));
      writeEnum(writer, 2, data, keys.aggregationTemporality);
      if (data.boolean(keys.isMonotonic)) writer.varint(3, 1);
    });
  }
}

function writeTimes(writer: ProtobufWriter, point: JsonObject): void {
  writeFixed64(writer, 2, point, keys.startTimeUnixNano);
  writeFixed64(writer, 3, point, keys.timeUnixNano);
}

function writeNumberPoint(writer: ProtobufWriter, point: JsonObject): void {
  writeTimes(writer, point);
  writeDouble(writer, 4, point, keys.asDouble);
  writeExemplars(writer, 5, point);
  writeFixed64(writer, 6, point, keys.asInt);
  writeAttributes(writer, 7, point);
  writeEnum(writer, 8, point, keys.flags);
}

function writeHistogramPoint(writer: ProtobufWriter, point: JsonObject): void {
  writeTimes(writer, point);
  writeFixed64(writer, 4, point, keys.count);
  writeDouble(writer, 5, point, keys.sum);
  for (const count of point.integers(keys.bucketCounts)) writer.fixed64(6, count);
  for (const bound of point.doubles(keys.explicitBounds)) writer.double(7, bound);
  writeExemplars(writer, 8, point);
  writeAttributes(writer, 9, point);
  writeEnum(writer, 10, point, keys.flags);
  writeDouble(writer, 11, point, keys.min);
  writeDouble(writer, 12, point, keys.max);
}

function writeExponentialPoint(writer: ProtobufWriter, point: JsonObject): void {
  writeAttributes(writer, 1, point);
  writeTimes(writer, point);
  writeFixed64(writer, 4, point, keys.count);
  writeDouble(writer, 5, point, keys.sum);
  writeZigzag(writer, 6, point, keys.scale);
  writeFixed64(writer, 7, point, keys.zeroCount);
  for (const [field, name] of [
    [8, keys.positive],
    [9, keys.negative],
  ] as const) {
    const buckets = point.object(name);
    if (buckets === undefined) continue;
    writer.message(field, () => {
      writeZigzag(writer, 1, buckets, keys.offset);
      for (const count of buckets.integers(keys.bucketCounts)) writer.varint(2, count);
    });
  }
  writeEnum(writer, 10, point, keys.flags);
  writeExemplars(writer, 11, point);
  writeDouble(writer, 12, point, keys.min);
  writeDouble(writer, 13, point, keys.max);
}

function writeSummaryPoint(writer: ProtobufWriter, point: JsonObject): void {
  writeTimes(writer, point);
  writeFixed64(writer, 4, point, keys.count);
  writeDouble(writer, 5, point, keys.sum);
  for (const pair of point.objects(keys.quantileValues)) {
    writer.message(6, () => {
      writeDouble(writer, 1, pair, keys.quantile);
      writeDouble(writer, 2, pair, keys.value);
    });
  }
  writeAttributes(writer, 7, point);
  writeEnum(writer, 8, point, keys.flags);
}

function writeExemplars(writer: ProtobufWriter, field: number, point: JsonObject): void {
  for (const exemplar of point.objects(keys.exemplars)) {
    writer.message(field, () => {
      writeFixed64(writer, 2, exemplar, keys.timeUnixNano);
      writeDouble(writer, 3, exemplar, keys.asDouble);
      writeId(writer, 4, exemplar, keys.spanId);
      writeId(writer, 5, exemplar, keys.traceId);
      writeFixed64(writer, 6, exemplar, keys.asInt);
      writeAttributes(writer, 7, exemplar, keys.filteredAttributes);
    });
  }
}

function writeDouble(writer: ProtobufWriter, field: number, from: JsonObject, key: JsonKey): void {
  const value = from.double(key);
  if (value !== undefined) writer.double(field, value);
}

/** sint32: https://protobuf.dev/programming-guides/encoding/#signed-ints */
function writeZigzag(writer: ProtobufWriter, field: number, from: JsonObject, key: JsonKey): void {
  const value = from.integer(key);
  if (value === undefined) return;
  const wide = BigInt(value);
  writer.varint(field, BigInt.asUintN(32, (wide << 1n) ^ (wide >> 31n)));
}
