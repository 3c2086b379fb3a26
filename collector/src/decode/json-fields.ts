import { limits } from '../model/limits.ts';
import type { ProtobufWriter } from '../model/protobuf-writer.ts';
import { type JsonKey, keys } from './json-keys.ts';
import type { JsonReader } from './json-reader.ts';

/** From where to where fields go. */
export interface Translation {
  readonly json: JsonReader;
  readonly writer: ProtobufWriter;
}

/** Writes the fields of the message that a JSON object is. */
export type WriteFields = (to: Translation, object: number, depth: number) => void;

export function writeMessage(to: Translation, field: number, object: number, write: WriteFields, depth = 0): void {
  if (object < 0) return;
  const opened = to.writer.open(field);
  write(to, object, depth);
  to.writer.close(opened);
}

export function writeMessages(to: Translation, field: number, list: number, write: WriteFields, depth = 0): void {
  const { json } = to;
  for (let at = json.first(list); at >= 0; at = json.next(at, list)) writeMessage(to, field, at, write, depth);
}

export function writeAttributes(to: Translation, field: number, owner: number, key = keys.attributes): void {
  writeMessages(to, field, to.json.list(owner, key), writeKeyValue);
}

function writeKeyValue(to: Translation, attribute: number, depth: number): void {
  writeString(to, 1, attribute, keys.key);
  writeMessage(to, 2, to.json.object(attribute, keys.value), writeAnyValue, depth);
}

/** Stops one level below the limit: the decoder then sees that the record is too deep and refuses it alone. */
export function writeAnyValue(to: Translation, value: number, depth: number): void {
  if (depth > limits.nestingDepthMax + 1) return;
  const { json, writer } = to;
  json.writeText(writer, 1, value, keys.stringValue, true);
  const flag = json.boolean(value, keys.boolValue);
  if (flag !== undefined) writer.varint(2, flag ? 1 : 0);
  writeVarint(to, 3, value, keys.intValue);
  writeDouble(to, 4, value, keys.doubleValue);
  writeMessage(to, 5, json.object(value, keys.arrayValue), writeArray, depth + 1);
  writeMessage(to, 6, json.object(value, keys.kvlistValue), writeMap, depth + 1);
  const bytes = json.text(value, keys.bytesValue);
  if (bytes !== undefined) writer.bytes(7, Buffer.from(bytes, 'base64'));
}

function writeArray(to: Translation, array: number, depth: number): void {
  writeMessages(to, 1, to.json.list(array, keys.values), writeAnyValue, depth);
}

function writeMap(to: Translation, map: number, depth: number): void {
  writeMessages(to, 1, to.json.list(map, keys.values), writeKeyValue, depth);
}

export function writeString({ json, writer }: Translation, field: number, from: number, key: JsonKey): void {
  json.writeText(writer, field, from, key);
}

export function writeId({ json, writer }: Translation, field: number, from: number, key: JsonKey): void {
  if (json.writeHex(writer, field, from, key)) return;
  const text = json.text(from, key)!;
  if (!hexDigits.test(text)) json.fail(from, key, 'must be hexadecimal');
  writer.bytes(field, Buffer.from(text.length % 2 === 0 ? text : `0${text}`, 'hex'));
}

/** An integer of any width, or an enum. */
export function writeVarint({ json, writer }: Translation, field: number, from: number, key: JsonKey): void {
  const value = json.integer(from, key);
  if (value !== undefined) writer.varint(field, value);
}

export function writeFixed64({ json, writer }: Translation, field: number, from: number, key: JsonKey): void {
  json.writeFixed64(writer, field, from, key);
}

/** Of a wider number the lowest 32 bits. */
export function writeFixed32({ json, writer }: Translation, field: number, from: number, key: JsonKey): void {
  const value = json.integer(from, key);
  if (value !== undefined) writer.fixed32(field, typeof value === 'number' ? value : Number(BigInt.asUintN(32, value)));
}

export function writeDouble({ json, writer }: Translation, field: number, from: number, key: JsonKey): void {
  const value = json.double(from, key);
  if (value !== undefined) writer.double(field, value);
}

const hexDigits = /^[0-9a-fA-F]*$/;
