import { isAscii } from 'node:buffer';
import { Attribute, Span, type SpanBatch, ValueType } from '../model/span-batch.ts';

/** Whether the value of an attribute is a text. */
export function isText({ attributes }: SpanBatch, row: number): boolean {
  return attributes[row * Attribute.stride + Attribute.type] === ValueType.string;
}

/** Whether an attribute of the span is a map. */
export function hasMaps({ spans, attributes }: SpanBatch, span: number): boolean {
  const first = spans[span * Span.stride + Span.attributes]!;
  const end = first + spans[span * Span.stride + Span.attributeCount]!;
  for (let row = first; row < end; row++) {
    if (attributes[row * Attribute.stride + Attribute.type] === ValueType.map) return true;
  }
  return false;
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

/** How many bytes a text has, and where they start and end. */
export function lengthOf({ attributes }: SpanBatch, row: number): number {
  return attributes[row * Attribute.stride + Attribute.length]!;
}

export function rangeOf(batch: SpanBatch, row: number): readonly [start: number, end: number] {
  const start = batch.attributes[row * Attribute.stride + Attribute.value]!;
  return [start, start + lengthOf(batch, row)];
}

function bytesOf(batch: SpanBatch, row: number): Buffer {
  const [start, end] = rangeOf(batch, row);
  return batch.bytes.subarray(start, end);
}

const backslash = 0x5c;
