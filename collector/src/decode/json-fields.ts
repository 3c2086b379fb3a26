import { limits } from '../model/limits.ts';
import type { ProtobufWriter } from '../model/protobuf-writer.ts';
import { type JsonKey, keys } from './json-keys.ts';
import type { JsonObject } from './json-object.ts';

export function writeAttributes(writer: ProtobufWriter, field: number, owner: JsonObject, key = keys.attributes): void {
  for (const attribute of owner.objects(key)) writer.message(field, () => writeKeyValue(writer, attribute, 0));
}

function writeKeyValue(writer: ProtobufWriter, attribute: JsonObject, depth: number): void {
  writeString(writer, 1, attribute, keys.key);
  const value = attribute.object(keys.value);
  if (value) writer.message(2, () => writeAnyValue(writer, value, depth));
}

/** Stops one level below the limit: the decoder then sees that the record is too deep and refuses it alone. */
export function writeAnyValue(writer: ProtobufWriter, value: JsonObject, depth: number): void {
  if (depth > limits.nestingDepthMax + 1) return;
  value.writeText(writer, 1, keys.stringValue, true);
  const flag = value.boolean(keys.boolValue);
  if (flag !== undefined) writer.varint(2, flag ? 1 : 0);
  const integer = value.integer(keys.intValue);
  if (integer !== undefined) writer.varint(3, integer);
  const double = value.double(keys.doubleValue);
  if (double !== undefined) writer.double(4, double);
  const list = value.object(keys.arrayValue);
  if (list) {
    writer.message(5, () => {
      for (const member of list.objects(keys.values)) writer.message(1, () => writeAnyValue(writer, member, depth + 1));
    });
  }
  const map = value.object(keys.kvlistValue);
  if (map) {
    writer.message(6, () => {
      for (const member of map.objects(keys.values)) writer.message(1, () => writeKeyValue(writer, member, depth + 1));
    });
  }
  const bytes = value.text(keys.bytesValue);
  if (bytes !== undefined) writer.bytes(7, Buffer.from(bytes, 'base64'));
}

export function writeString(writer: ProtobufWriter, field: number, from: JsonObject, key: JsonKey): void {
  from.writeText(writer, field, key, false);
}

export function writeId(writer: ProtobufWriter, field: number, from: JsonObject, key: JsonKey): void {
  if (from.writeHex(writer, field, key)) return;
  const text = from.text(key)!;
  if (!hexDigits.test(text)) from.fail(key, 'must be hexadecimal');
  writer.bytes(field, Buffer.from(text.length % 2 === 0 ? text : `0${text}`, 'hex'));
}

export function writeEnum(writer: ProtobufWriter, field: number, from: JsonObject, key: JsonKey): void {
  const value = from.integer(key);
  if (value !== undefined) writer.varint(field, value);
}

export function writeFixed64(writer: ProtobufWriter, field: number, from: JsonObject, key: JsonKey): void {
  const value = from.integer(key);
  if (value !== undefined) writer.fixed64(field, value);
}

const hexDigits = /^[0-9a-fA-F]*$/;
