import type { FieldTable } from '../model/fields.ts';
import { Span } from '../model/span-batch.ts';
import type { SpanEvents } from '../model/span-events.ts';
import { NormalisedEvents } from '../normalise/span-events.ts';
import { Prices } from '../prices/prices.ts';
import type { StoreClient } from '../store/client.ts';
import type { StoredFinding } from '../store/findings-reader.ts';
import { planHistory, readHistory } from '../store/history/read.ts';

/** A stored span as rules see it; valid until another is read. */
export interface StoredSpan {
  readonly events: SpanEvents;
  readonly index: number;
}

/** The span that a finding is about, or that opened it; undefined when it has been dropped by retention. */
export async function spanOfFinding(
  client: StoreClient,
  { time, traceId, spanId }: Pick<StoredFinding, 'time' | 'traceId' | 'spanId'>,
  fields: FieldTable,
): Promise<StoredSpan | undefined> {
  const nanos = nanosOf(time);
  const plan = await planHistory(client, { fromNanos: nanos, toNanos: nanos + 1n, traceId });
  const events = new NormalisedEvents(fields, new Prices());
  for await (const batch of readHistory(client, plan, { fields }).batches) {
    for (let index = 0; index < batch.spanCount; index++) {
      if (batch.hex(batch.spans[index * Span.stride + Span.spanId]!, 8) !== spanId) continue;
      return { events: events.bind(batch), index };
    }
  }
  return undefined;
}

/** Nanoseconds of `2026-11-22T10:00:00.123456789Z`. */
export function nanosOf(iso: string): bigint {
  const [, seconds = '', fraction = ''] = /^(.{19})(?:\.(\d{1,9}))?/.exec(iso) ?? [];
  return BigInt(Date.parse(`${seconds.replace(' ', 'T')}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}
