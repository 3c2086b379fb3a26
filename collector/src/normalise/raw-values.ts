import { isAscii } from 'node:buffer';
import { Attribute, type SpanBatch, ValueType } from '../model/span-batch.ts';

/** Whether the value of an attribute is a text. */
export function isText({ attributes }: SpanBatch, row: number): boolean {
  return attributes[row * Attribute.stride + Attribute.type] === ValueType.string;
}

/** The bytes of a text, each as one character. */
export function rawText(batch: SpanBatch, row: number): string {
  return bytesOf(batch, row).toString('latin1');
}

/** Whether a text, and any JSON in it, is ASCII in which no escape stands for something else. */
export function isPlain(batch: SpanBatch, row: number): boolean {
  return isPlainJson(bytesOf(batch, row));
}

/** The same of bytes. */
export function isPlainJson(bytes: Buffer): boolean {
  return isAscii(bytes) && (!bytes.includes(backslash) || !bytes.includes('\\u'));
}

function bytesOf({ attributes, bytes }: SpanBatch, row: number): Buffer {
  const start = attributes[row * Attribute.stride + Attribute.value]!;
  return bytes.subarray(start, start + attributes[row * Attribute.stride + Attribute.length]!);
}

const backslash = 0x5c;
