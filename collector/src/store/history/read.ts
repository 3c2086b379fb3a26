import type { FieldTable } from '../../model/fields.ts';
import type { SpanBatch } from '../../model/span-batch.ts';
import type { StoreClient } from '../client.ts';
import { HistoryDecoder, type HistoryLosses } from './decoder.ts';
import { MessageResolver } from './messages.ts';
import { bucketsQuery, type HistoryQuery, type HistoryRange, spansQuery } from './query.ts';

/** What there is to read, counted before. */
export interface HistoryPlan {
  readonly range: HistoryRange;
  readonly spans: number;
  readonly slices: readonly Slice[];
}

/** A part of the range with so many spans that ClickHouse can sort them in little memory. */
interface Slice {
  readonly fromNanos: bigint;
  readonly toNanos: bigint;
  readonly durationMaxNanos: bigint;
  readonly spans: number;
}

export interface HistoryOptions {
  readonly fields: FieldTable;
  /** Spans that ClickHouse sorts at once; default 50,000. */
  readonly sliceSpansMax?: number;
  /** Rows are gathered until there are this many bytes of them; default 1 MiB. */
  readonly batchBytes?: number;
  readonly signal?: AbortSignal;
}

export interface HistoryReading {
  /** Batches in event order: end, start, span id. Each is valid until the next is asked for. */
  readonly batches: AsyncGenerator<SpanBatch>;
  /** Counted while reading. */
  readonly losses: HistoryLosses;
}

const sliceSpansDefault = 50_000;
/** Buckets of end time that are counted; the finest division of the range. */
const bucketsMax = 20_000n;
const batchBytesDefault = 1 << 20;
const batchSpansMax = 8192;
/** The largest row: a request's worth of bytes several times over. */
const rowBytesMax = 512 * 1024 * 1024;
const settings = {
  // Rows are long: small blocks keep the memory of the sort and of its output small.
  max_block_size: '2048',
  preferred_block_size_bytes: '1000000',
  max_bytes_before_external_sort: String(256 * 1024 * 1024),
} as const;

/** Counts what stands in the range and divides it. Rejects with the client's error. */
export async function planHistory(
  client: StoreClient,
  range: HistoryRange,
  sliceSpansMax = sliceSpansDefault,
): Promise<HistoryPlan> {
  const bucketNanos = maximum(10_000_000_000n, (range.toNanos - range.fromNanos) / bucketsMax);
  const { query, parameters } = bucketsQuery(range, bucketNanos);
  const result = await client.query({ query, query_params: parameters, format: 'JSONEachRow' });
  const buckets = await result.json<{ bucket: string; spans: string; durationMax: string }>();
  const slices: Slice[] = [];
  let open: { fromNanos: bigint; durationMaxNanos: bigint; spans: number } | undefined;
  for (const [index, { bucket, spans, durationMax }] of buckets.entries()) {
    const start = maximum(BigInt(bucket) * bucketNanos, range.fromNanos);
    open ??= { fromNanos: start, durationMaxNanos: 0n, spans: 0 };
    open.spans += Number(spans);
    open.durationMaxNanos = maximum(open.durationMaxNanos, BigInt(durationMax));
    const next = buckets[index + 1];
    if (next !== undefined && open.spans + Number(next.spans) <= sliceSpansMax) continue;
    const toNanos = minimum((BigInt(bucket) + 1n) * bucketNanos, range.toNanos);
    slices.push({ ...open, toNanos });
    open = undefined;
  }
  return { range, slices, spans: slices.reduce((sum, slice) => sum + slice.spans, 0) };
}

/**
 * Streams the planned spans out of ClickHouse in event order, with memory for a few megabytes of rows however many there
 * are. Batches reject with the client's error, also when the server breaks off half way.
 */
export function readHistory(client: StoreClient, plan: HistoryPlan, options: HistoryOptions): HistoryReading {
  const decoder = new HistoryDecoder(options.fields);
  const resolver = new MessageResolver(client, options.fields);
  return { batches: readSlices(client, plan, { decoder, resolver }, options), losses: decoder.losses };
}

interface Way {
  readonly decoder: HistoryDecoder;
  readonly resolver: MessageResolver;
}

async function* readSlices(
  client: StoreClient,
  plan: HistoryPlan,
  way: Way,
  options: HistoryOptions,
): AsyncGenerator<SpanBatch> {
  for (const { fromNanos, toNanos, durationMaxNanos } of plan.slices) {
    yield* readQuery(client, spansQuery({ ...plan.range, fromNanos, toNanos }, durationMaxNanos), way, options);
  }
}

async function* readQuery(
  client: StoreClient,
  { query, parameters }: HistoryQuery,
  way: Way,
  { signal, batchBytes = batchBytesDefault }: HistoryOptions,
): AsyncGenerator<SpanBatch> {
  const { stream } = await client.exec({
    query,
    query_params: parameters,
    clickhouse_settings: settings,
    ...(signal && { abort_signal: signal }),
  });
  let pending = Buffer.allocUnsafe(batchBytesDefault * 2);
  let length = 0;
  let wanted = batchBytes;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (length + chunk.length > pending.length) {
      const room = Buffer.allocUnsafe(Math.max(length + chunk.length, pending.length * 2));
      pending.copy(room, 0, 0, length);
      pending = room;
    }
    chunk.copy(pending, length);
    length += chunk.length;
    if (length < wanted) continue;
    let from = 0;
    for (;;) {
      const { batch, next } = await whole(way, pending, from, length);
      if (batch.spanCount === 0) break;
      yield batch;
      from = next;
    }
    pending.copyWithin(0, from, length);
    length -= from;
    // A row longer than all that is there: wait for twice as much, so that its beginning is not read over and over.
    wanted = Math.max(batchBytes, length * 2);
    if (length > rowBytesMax) throw new Error('a stored span is too large to be read back');
  }
  yield* rest(pending, length, way);
}

async function* rest(bytes: Buffer, length: number, way: Way): AsyncGenerator<SpanBatch> {
  let from = 0;
  while (from < length) {
    const { batch, next } = await whole(way, bytes, from, length);
    if (batch.spanCount === 0) throw brokenOff(bytes.toString('utf8', from, Math.min(length, from + 2000)));
    yield batch;
    from = next;
  }
}

/** The next spans, with the messages that they name. */
async function whole({ decoder, resolver }: Way, bytes: Buffer, from: number, end: number) {
  const before = { ...decoder.losses };
  for (let spansMax = batchSpansMax; ; ) {
    const { batch, next } = decoder.decode(bytes, from, end, spansMax);
    if (batch.references.length === 0) return { batch, next };
    const { spans, missing } = await resolver.resolve(batch);
    decoder.losses.missingMessages = before.missingMessages + missing;
    if (spans === batch.spanCount) return { batch, next };
    // Their messages are too much at once: fewer spans.
    spansMax = spans;
    Object.assign(decoder.losses, before);
  }
}

/** The server says in the middle of a body why it could not go on. */
function brokenOff(tail: string): Error & { code: string } {
  const [, code, reason] = /Code: (\d+)\. DB::Exception: ([^\n]{1,500})/.exec(tail) ?? [];
  return Object.assign(new Error(reason ?? 'the answer ended in the middle of a row'), { code: code ?? 'ECONNRESET' });
}

function maximum(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function minimum(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
