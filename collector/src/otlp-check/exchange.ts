import { Buffer } from 'node:buffer';
import { WireReader } from '../decode/wire.ts';

/** A body may be answered with at most this; more is not read. OTLP allows 4 MiB. */
export const answerBytesMax = 4 * 1024 * 1024;

/** How long one request may take, in milliseconds; the large ones need some time. */
export const answerMsMax = 30_000;

/** Fields of a protobuf message, one level: numbers to what was there, messages and strings as bytes. */
export function readFields(bytes: Buffer): ReadonlyMap<number, readonly (number | Buffer)[]> {
  const reader = new WireReader();
  reader.reset(bytes);
  const fields = new Map<number, (number | Buffer)[]>();
  while (reader.pos < bytes.length) {
    const tag = reader.tag(bytes.length);
    const values = fields.get(tag >>> 3) ?? [];
    fields.set(tag >>> 3, values);
    if ((tag & 7) === 0) values.push(reader.varint32(bytes.length));
    else if ((tag & 7) === 2) {
      const stop = reader.range(bytes.length);
      values.push(bytes.subarray(reader.pos, stop));
      reader.pos = stop;
    } else reader.skip(tag & 7, bytes.length);
  }
  return fields;
}

/** google.rpc.Status as an answer holds it; `details` are the last parts of the type names. */
export interface RpcStatus {
  readonly code: number;
  readonly message: string;
  readonly details: readonly string[];
}

/** Reads a Status; undefined for bytes that are none. */
export function readStatus(bytes: Buffer, encoding: 'protobuf' | 'json'): RpcStatus | undefined {
  try {
    return encoding === 'json' ? jsonStatus(bytes) : protobufStatus(bytes);
  } catch {
    return undefined;
  }
}

function jsonStatus(bytes: Buffer): RpcStatus | undefined {
  const { code, message, details } = JSON.parse(bytes.toString()) as Record<string, unknown>;
  if (typeof message !== 'string') return undefined;
  const types = (Array.isArray(details) ? details : []).map((each) => lastPart(String(each?.['@type'])));
  return { code: typeof code === 'number' ? code : 0, message, details: types };
}

function protobufStatus(bytes: Buffer): RpcStatus | undefined {
  const fields = readFields(bytes);
  const message = fields.get(2)?.[0];
  if (!Buffer.isBuffer(message)) return undefined;
  const details = (fields.get(3) ?? []).filter(Buffer.isBuffer).map((detail) => {
    return lastPart(String(readFields(detail).get(1)?.[0] ?? ''));
  });
  return { code: Number(fields.get(1)?.[0] ?? 0), message: message.toString(), details };
}

function lastPart(type: string): string {
  return type.slice(type.lastIndexOf('.') + 1);
}

/** What an Export…ServiceResponse says; `undefined` for one that cannot be read. */
export interface PartialSuccess {
  readonly isSet: boolean;
  readonly rejected: number;
  readonly message: string;
}

export function readSuccess(bytes: Buffer, encoding: 'protobuf' | 'json'): PartialSuccess | undefined {
  try {
    return encoding === 'json' ? jsonSuccess(bytes) : protobufSuccess(bytes);
  } catch {
    return undefined;
  }
}

type JsonPartial = Partial<
  Record<'rejectedSpans' | 'rejectedLogRecords' | 'rejectedDataPoints' | 'errorMessage', unknown>
>;

function jsonSuccess(bytes: Buffer): PartialSuccess {
  const { partialSuccess } = JSON.parse(bytes.toString()) as { partialSuccess?: JsonPartial };
  const counts = (['rejectedSpans', 'rejectedLogRecords', 'rejectedDataPoints'] as const).map(
    (name) => partialSuccess?.[name],
  );
  return {
    isSet: partialSuccess !== undefined,
    rejected: Number(counts.find((count) => count !== undefined) ?? 0),
    message: String(partialSuccess?.errorMessage ?? ''),
  };
}

function protobufSuccess(bytes: Buffer): PartialSuccess {
  const partial = readFields(bytes).get(1)?.[0];
  if (!Buffer.isBuffer(partial)) return { isSet: false, rejected: 0, message: '' };
  const fields = readFields(partial);
  return { isSet: true, rejected: Number(fields.get(1)?.[0] ?? 0), message: String(fields.get(2)?.[0] ?? '') };
}
