import { Span, type SpanBatch } from '../../model/span-batch.ts';

/**
 * A span's ids and end as 32-bit words, read from the bytes of its batch without a text or a bigint: every span pays for
 * this, and few of them are ever shown. Ids are big-endian, so that words compare as their hex texts do.
 */
export interface SpanWords {
  trace0: number;
  trace1: number;
  trace2: number;
  trace3: number;
  idHigh: number;
  idLow: number;
  hasParent: boolean;
  /** 0 on a root. */
  parentHigh: number;
  parentLow: number;
  endHigh: number;
  endLow: number;
}

export function createWords(): SpanWords {
  const ids = { trace0: 0, trace1: 0, trace2: 0, trace3: 0, idHigh: 0, idLow: 0 };
  return { ...ids, hasParent: false, parentHigh: 0, parentLow: 0, endHigh: 0, endLow: 0 };
}

/** Reads a span into `words`. */
export function readWords({ bytes, spans }: SpanBatch, span: number, words: SpanWords): void {
  const at = span * Span.stride;
  const trace = spans[at + Span.traceId]!;
  words.trace0 = wordAt(bytes, trace);
  words.trace1 = wordAt(bytes, trace + 4);
  words.trace2 = wordAt(bytes, trace + 8);
  words.trace3 = wordAt(bytes, trace + 12);
  const id = spans[at + Span.spanId]!;
  words.idHigh = wordAt(bytes, id);
  words.idLow = wordAt(bytes, id + 4);
  const parent = spans[at + Span.parentSpanId]!;
  words.hasParent = parent >= 0;
  words.parentHigh = parent < 0 ? 0 : wordAt(bytes, parent);
  words.parentLow = parent < 0 ? 0 : wordAt(bytes, parent + 4);
  const end = spans[at + Span.end]!;
  words.endHigh = end < 0 ? 0 : littleWordAt(bytes, end + 4);
  words.endLow = end < 0 ? 0 : littleWordAt(bytes, end);
}

/** A moment as two words. */
export interface Moment {
  readonly endHigh: number;
  readonly endLow: number;
}

export function nanosOf({ endHigh, endLow }: Moment): bigint {
  return (BigInt(endHigh) << 32n) | BigInt(endLow);
}

/** Moments before 1970 are 1970, those beyond 64 bits the last one. */
export function momentOf(nanos: bigint): Moment {
  const bounded = nanos < 0n ? 0n : nanos > lastNanos ? lastNanos : nanos;
  return { endHigh: Number(bounded >> 32n), endLow: Number(bounded & 0xffffffffn) };
}

const lastNanos = (1n << 64n) - 1n;

export function isBefore(a: Moment, b: Moment): boolean {
  return a.endHigh < b.endHigh || (a.endHigh === b.endHigh && a.endLow < b.endLow);
}

/** Nanoseconds from one moment to another: exact up to 104 days, and further apart still more than that. */
export function nanosBetween(high: number, low: number, otherHigh: number, otherLow: number): number {
  return (otherHigh - high) * 4294967296 + (otherLow - low);
}

/** The hex text of words. */
export function hexOf(...words: readonly number[]): string {
  return words.map((word) => word.toString(16).padStart(8, '0')).join('');
}

function wordAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

function littleWordAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at + 3]! << 24) | (bytes[at + 2]! << 16) | (bytes[at + 1]! << 8) | bytes[at]!) >>> 0;
}
