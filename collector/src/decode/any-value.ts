import { limits } from '../model/limits.ts';
import type { Value, ValueMap } from '../model/value.ts';
import { WireReader, WireType } from './wire.ts';

/**
 * opentelemetry.proto.common.v1.AnyValue and what it nests.
 *
 * | message | fields |
 * |---|---|
 * | AnyValue | 1 string, 2 bool, 3 int64, 4 double, 5 ArrayValue, 6 KeyValueList, 7 bytes, 8 strindex (profiles only) |
 * | ArrayValue, KeyValueList | 1 repeated AnyValue or KeyValue |
 * | KeyValue | 1 key, 2 value |
 */
export const anyValueWireType: readonly number[] = [-1, 2, 0, 0, 1, 2, 2, 2, 0];

/** Reads a nested value. The decoder has checked structure and depth before, so this cannot fail or run deep. */
export function readNested(bytes: Buffer, type: number, start: number, length: number): Value {
  const reader = new WireReader();
  reader.reset(bytes);
  reader.pos = start;
  const end = start + length;
  return type === 5 ? readList(reader, end) : readMap(reader, end);
}

/** A varint as a signed 64-bit integer: a number when it is exact as one, else a bigint. */
export function readInt64(bytes: Buffer, start: number): number | bigint {
  let low = 0;
  let high = 0;
  let shift = 0;
  let pos = start;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[pos++]!;
    const bits = byte & 127;
    if (shift < 28) low |= bits << shift;
    else if (shift === 28) {
      low |= bits << 28;
      high |= bits >>> 4;
    } else if (shift < 64) high |= bits << (shift - 32);
    shift += 7;
    if (byte < 128) break;
  }
  const exact = high * 4294967296 + (low >>> 0);
  return Number.isSafeInteger(exact) ? exact : BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low >>> 0));
}

/**
 * Walks an ArrayValue or KeyValueList without building it.
 * @returns false when it nests deeper than `limits.nestingDepthMax`; throws MalformedError on broken bytes.
 */
export function checkNested(reader: WireReader, end: number, isMap: boolean, depth: number): boolean {
  if (depth > limits.nestingDepthMax) return false;
  let shallow = true;
  while (reader.pos < end) {
    const tag = reader.tag(end);
    if (tag !== 10) {
      reader.skip(tag & 7, end);
      continue;
    }
    const stop = reader.range(end);
    if (!(isMap ? checkKeyValue(reader, stop, depth) : checkAnyValue(reader, stop, depth))) shallow = false;
    reader.pos = stop;
  }
  return shallow;
}

function checkKeyValue(reader: WireReader, end: number, depth: number): boolean {
  let shallow = true;
  while (reader.pos < end) {
    const tag = reader.tag(end);
    if (tag !== 18) {
      reader.skip(tag & 7, end);
      continue;
    }
    const stop = reader.range(end);
    if (!checkAnyValue(reader, stop, depth)) shallow = false;
    reader.pos = stop;
  }
  return shallow;
}

function checkAnyValue(reader: WireReader, end: number, depth: number): boolean {
  let shallow = true;
  while (reader.pos < end) {
    const tag = reader.tag(end);
    const field = tag >>> 3;
    if (field < anyValueWireType.length) reader.expect(tag & 7, anyValueWireType[field]!, 'AnyValue');
    if (field === 5 || field === 6) {
      const stop = reader.range(end);
      if (!checkNested(reader, stop, field === 6, depth + 1)) shallow = false;
      reader.pos = stop;
    } else reader.skip(tag & 7, end);
  }
  return shallow;
}

function readList(reader: WireReader, end: number): Value[] {
  const list: Value[] = [];
  while (reader.pos < end) {
    const tag = reader.tag(end);
    if (tag === 10) list.push(readAnyValue(reader, reader.range(end)));
    else reader.skip(tag & 7, end);
  }
  return list;
}

function readMap(reader: WireReader, end: number): ValueMap {
  const map: Record<string, Value> = Object.create(null);
  while (reader.pos < end) {
    const tag = reader.tag(end);
    if (tag === 10) readKeyValue(reader, reader.range(end), map);
    else reader.skip(tag & 7, end);
  }
  return map;
}

function readKeyValue(reader: WireReader, end: number, into: Record<string, Value>): void {
  let key = '';
  let value: Value = null;
  while (reader.pos < end) {
    const tag = reader.tag(end);
    if (tag === 10) {
      const stop = reader.range(end);
      key = reader.bytes.toString('utf8', reader.pos, stop);
      reader.pos = stop;
    } else if (tag === 18) value = readAnyValue(reader, reader.range(end));
    else reader.skip(tag & 7, end);
  }
  into[key] = value;
}

function readAnyValue(reader: WireReader, end: number): Value {
  let value: Value = null;
  while (reader.pos < end) {
    const tag = reader.tag(end);
    const at = reader.pos;
    if (tag >>> 3 === 2 && (tag & 7) === WireType.varint) value = reader.varint32(end) !== 0;
    else if ((tag & 7) === WireType.bytes) {
      const stop = reader.range(end);
      value = readBytesField(reader, tag >>> 3, stop, value);
      reader.pos = stop;
    } else {
      reader.skip(tag & 7, end);
      if (tag >>> 3 === 3) value = readInt64(reader.bytes, at);
      else if (tag >>> 3 === 4) value = reader.bytes.readDoubleLE(at);
    }
  }
  return value;
}

function readBytesField(reader: WireReader, field: number, stop: number, otherwise: Value): Value {
  if (field === 1) return reader.bytes.toString('utf8', reader.pos, stop);
  if (field === 5) return readList(reader, stop);
  if (field === 6) return readMap(reader, stop);
  if (field === 7) return reader.bytes.toString('base64', reader.pos, stop);
  return otherwise;
}
