import { isList, type Value } from '../../model/value.ts';
import type { StateReader, StateWriter } from '../correlate/state-bytes.ts';

/** What values begin with. */
const tags = { null: 0, false: 1, true: 2, number: 3, integer: 4, text: 5, list: 6, map: 7 } as const;
/** As deep as values are written anywhere; what senders put into texts may nest deeper than the stack. */
const depthMax = 256;

/** Whether a null begins with this byte. */
export function isNullTag(byte: number | undefined): boolean {
  return byte === tags.null;
}

export function writeValue(writer: StateWriter, value: Value, depth = 0): void {
  if (typeof value === 'string') {
    writer.byte(tags.text);
    writer.text(value);
  } else if (typeof value === 'number') {
    writer.byte(tags.number);
    writer.double(value);
  } else if (typeof value === 'bigint') {
    writer.byte(tags.integer);
    writer.text(String(value));
  } else if (typeof value === 'boolean') {
    writer.byte(value ? tags.true : tags.false);
  } else if (value === null || depth > depthMax) {
    writer.byte(tags.null);
  } else if (isList(value)) {
    writer.byte(tags.list);
    writer.varint(value.length);
    for (const member of value) writeValue(writer, member, depth + 1);
  } else {
    const keys = Object.keys(value);
    writer.byte(tags.map);
    writer.varint(keys.length);
    for (const key of keys) {
      writer.text(key);
      writeValue(writer, value[key]!, depth + 1);
    }
  }
}

/** Throws a SyntaxError on bytes that are no value. */
export function readValue(reader: StateReader, depth = 0): Value {
  const tag = reader.byte();
  if (depth > depthMax + 1) throw new SyntaxError('values nest too deep');
  if (tag === tags.null) return null;
  if (tag === tags.text) return reader.text();
  if (tag === tags.number) return reader.double();
  if (tag === tags.integer) return BigInt(reader.text());
  if (tag === tags.list) return Array.from({ length: reader.count() }, () => readValue(reader, depth + 1));
  if (tag !== tags.map) {
    if (tag > tags.true) throw new SyntaxError('no kind of value');
    return tag === tags.true;
  }
  const map: Record<string, Value> = Object.create(null);
  for (let left = reader.count(); left > 0; left--) map[reader.text()] = readValue(reader, depth + 1);
  return map;
}
