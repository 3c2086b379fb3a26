import type { ProtobufWriter } from '../model/protobuf-writer.ts';
import { writeAttributes, writeEnum, writeFixed64, writeId, writeString } from './json-fields.ts';
import type { JsonObject } from './json-object.ts';

type WritePoint = (writer: ProtobufWriter, point: JsonObject) => void;

/** The kinds by their name in JSON: field of Metric, and how their points are written. */
const kinds: readonly [name: string, field: number, write: WritePoint][] = [
  ['gauge', 5, writeNumberPoint],
  ['sum', 7, writeNumberPoint],
  ['histogram', 9, writeHistogramPoint],
  ['exponentialHistogram', 10, writeExponentialPoint],
  ['summary', 11, writeSummaryPoint],
];

/** A Metric of OTLP/JSON as protobuf; point-fields.ts has the numbers of the fields. */
export function writeMetric(writer: ProtobufWriter, metric: JsonObject): void {
  writeString(writer, 1, metric, 'name');
  writeString(writer, 2, metric, 'description');
  writeString(writer, 3, metric, 'unit');
  for (const [name, field, write] of kinds) {
    const data = metric.object(name);
    if (data === undefined) continue;
    writer.message(field, () => {
      for (const point of data.objects('dataPoints')) writer.message(1, () => write(writer, point));
      writeEnum(writer, 2, data, 'aggregationTemporality');
      if (data.boolean('isMonotonic')) writer.varint(3, 1);
    });
  }
}

function writeTimes(writer: ProtobufWriter, point: JsonObject): void {
  writeFixed64(writer, 2, point, 'startTimeUnixNano');
  writeFixed64(writer, 3, point, 'timeUnixNano');
}

function writeNumberPoint(writer: ProtobufWriter, point: JsonObject): void {
  writeTimes(writer, point);
  writeDouble(writer, 4, point, 'asDouble');
  writeExemplars(writer, 5, point);
  writeFixed64(writer, 6, point, 'asInt');
  writeAttributes(writer, 7, point);
  writeEnum(writer, 8, point, 'flags');
}

function writeHistogramPoint(writer: ProtobufWriter, point: JsonObject): void {
  writeTimes(writer, point);
  writeFixed64(writer, 4, point, 'count');
  writeDouble(writer, 5, point, 'sum');
  for (const count of point.integers('bucketCounts')) writer.fixed64(6, count);
  for (const bound of point.doubles('explicitBounds')) writer.double(7, bound);
  writeExemplars(writer, 8, point);
  writeAttributes(writer, 9, point);
  writeEnum(writer, 10, point, 'flags');
  writeDouble(writer, 11, point, 'min');
  writeDouble(writer, 12, point, 'max');
}

function writeExponentialPoint(writer: ProtobufWriter, point: JsonObject): void {
  writeAttributes(writer, 1, point);
  writeTimes(writer, point);
  writeFixed64(writer, 4, point, 'count');
  writeDouble(writer, 5, point, 'sum');
  writeZigzag(writer, 6, point, 'scale');
  writeFixed64(writer, 7, point, 'zeroCount');
  for (const [field, name] of [
    [8, 'positive'],
    [9, 'negative'],
  ] as const) {
    const buckets = point.object(name);
    if (buckets === undefined) continue;
    writer.message(field, () => {
      writeZigzag(writer, 1, buckets, 'offset');
      for (const count of buckets.integers('bucketCounts')) writer.varint(2, count);
    });
  }
  writeEnum(writer, 10, point, 'flags');
  writeExemplars(writer, 11, point);
  writeDouble(writer, 12, point, 'min');
  writeDouble(writer, 13, point, 'max');
}

function writeSummaryPoint(writer: ProtobufWriter, point: JsonObject): void {
  writeTimes(writer, point);
  writeFixed64(writer, 4, point, 'count');
  writeDouble(writer, 5, point, 'sum');
  for (const pair of point.objects('quantileValues')) {
    writer.message(6, () => {
      writeDouble(writer, 1, pair, 'quantile');
      writeDouble(writer, 2, pair, 'value');
    });
  }
  writeAttributes(writer, 7, point);
  writeEnum(writer, 8, point, 'flags');
}

function writeExemplars(writer: ProtobufWriter, field: number, point: JsonObject): void {
  for (const exemplar of point.objects('exemplars')) {
    writer.message(field, () => {
      writeFixed64(writer, 2, exemplar, 'timeUnixNano');
      writeDouble(writer, 3, exemplar, 'asDouble');
      writeId(writer, 4, exemplar, 'spanId');
      writeId(writer, 5, exemplar, 'traceId');
      writeFixed64(writer, 6, exemplar, 'asInt');
      writeAttributes(writer, 7, exemplar, 'filteredAttributes');
    });
  }
}

function writeDouble(writer: ProtobufWriter, field: number, from: JsonObject, key: string): void {
  const value = from.double(key);
  if (value !== undefined) writer.double(field, value);
}

/** sint32: https://protobuf.dev/programming-guides/encoding/#signed-ints */
function writeZigzag(writer: ProtobufWriter, field: number, from: JsonObject, key: string): void {
  const value = from.integer(key);
  if (value !== undefined) writer.varint(field, BigInt.asUintN(32, (value << 1n) ^ (value >> 31n)));
}
