import type { AttributeSource } from '../../model/span-batch.ts';
import type { AddedAttribute } from '../../model/span-events.ts';
import type { RowWriter } from './rowbinary.ts';

/** Where the time of a record must lie to be stored under it, in milliseconds since the epoch. */
export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface TimeEdges {
  readonly from: bigint;
  readonly to: bigint;
  /** Their upper 32 bits, worked out once per batch. */
  readonly fromHigh: number;
  readonly toHigh: number;
}

export function edgesOf(range: TimeRange): TimeEdges {
  const from = BigInt(range.fromMs) * 1_000_000n;
  const to = BigInt(range.toMs) * 1_000_000n;
  return { from, to, fromHigh: Number(from >> 32n), toHigh: Number(to >> 32n) };
}

/**
 * Writes the time at an offset (-1: none was sent) as a DateTime64(9), moved into the accepted range; returns the attribute that
 * keeps the original if it was moved.
 */
export function writeTime(
  writer: RowWriter,
  batch: AttributeSource,
  offset: number,
  edges: TimeEdges,
): AddedAttribute | undefined {
  if (offset >= 0) {
    // Compare by the high half first: only times within four seconds of an edge need all 64 bits.
    const high = batch.bytes.readUInt32LE(offset + 4);
    if (high > edges.fromHigh && high < edges.toHigh) {
      writer.raw(batch.bytes, offset, offset + 8);
      return undefined;
    }
  }
  const nanos = batch.nanos(offset);
  const kept = clamp(nanos, edges);
  writer.i64(kept);
  return kept === nanos ? undefined : { name: 'spanwarden.original_timestamp', value: String(nanos) };
}

function clamp(nanos: bigint, edges: TimeEdges): bigint {
  if (nanos < edges.from) return edges.from;
  return nanos > edges.to ? edges.to : nanos;
}

/** Added attributes, by name, with the original time among them. */
export function withOriginal(
  added: readonly AddedAttribute[],
  original: AddedAttribute | undefined,
): readonly AddedAttribute[] {
  if (original === undefined) return added;
  return [...added, original].sort((a, b) => (a.name < b.name ? -1 : 1));
}
