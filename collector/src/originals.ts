import type { Signal } from './decode/json.ts';
import { withRecords } from './decode/kept-records.ts';
import { limits } from './model/limits.ts';
import { Log, type LogBatch } from './model/log-batch.ts';
import { type MetricBatch, Point } from './model/metric-batch.ts';
import { Span, type SpanBatch } from './model/span-batch.ts';
import type { Original } from './model/spool.ts';
import { type TeeRequest, teeSignals } from './model/tee-request.ts';
import type { OriginalRecord } from './spool/contract.ts';

/** A request as it came in. */
export interface Incoming {
  readonly signal: Signal;
  readonly encoding: 'protobuf' | 'json';
  readonly bytes: Buffer;
  /** How many tees it came through. */
  readonly hops: number;
}

/** The records of a decoded request that are taken in. */
export interface KeptRecords {
  readonly bytes: Buffer;
  readonly count: number;
  /** Where the message of each begins in `bytes`. */
  start(record: number): number;
}

export const recordsOf = {
  traces: ({ bytes, spanCount, spans }: SpanBatch): KeptRecords =>
    keptRecords(bytes, spanCount, (span) => spans[span * Span.stride + Span.message]!),
  logs: ({ bytes, logCount, logs }: LogBatch): KeptRecords =>
    keptRecords(bytes, logCount, (log) => logs[log * Log.stride + Log.message]!),
  metrics: ({ bytes, pointCount, points }: MetricBatch): KeptRecords =>
    keptRecords(bytes, pointCount, (point) => points[point * Point.stride + Point.message]!),
};

function keptRecords(bytes: Buffer, count: number, start: (record: number) => number): KeptRecords {
  return { bytes, count, start };
}

/** Keeps requests as they came for the tees, of the signals that one of them wants. */
export class Originals {
  readonly #signals: ReadonlySet<Signal>;
  /** Requests that came through too many tees already, since the start. */
  looped = 0;

  constructor(signals: Iterable<Signal>) {
    this.#signals = new Set(signals);
  }

  /**
   * What goes on of a request, as it came: its own bytes, or, when some of its records are not taken in, the same without those, then always
   * as protobuf. Records that are refused must not go on, and those that came before have gone on with another request.
   */
  of({ signal, encoding, bytes, hops }: Incoming, records: KeptRecords, isWhole: boolean): Original | undefined {
    if (!this.#signals.has(signal)) return undefined;
    if (hops >= limits.teeHopsMax) {
      this.looped++;
      return undefined;
    }
    if (isWhole) return { kind: kindOf(signal, encoding, hops), records: records.count, bytes };
    const starts = new Set(Array.from({ length: records.count }, (_, record) => records.start(record)));
    const kept = withRecords(records.bytes, signal, starts);
    return { kind: kindOf(signal, 'protobuf', hops), records: records.count, bytes: kept };
  }
}

/** Bits of a kind: 0 and 1 the signal, 2 whether it is JSON, 3 to 6 the hops. */
function kindOf(signal: Signal, encoding: 'protobuf' | 'json', hops: number): number {
  return teeSignals.indexOf(signal) | (encoding === 'json' ? 4 : 0) | (hops << 3);
}

/** A request out of the spool; undefined for one of another version. */
export function teeRequestOf({ position, timeMs, kind, records, bytes }: OriginalRecord): TeeRequest | undefined {
  const signal = teeSignals[kind & 3];
  if (signal === undefined || kind > 127) return undefined;
  const id = String(position);
  const encoding = kind & 4 ? 'json' : 'protobuf';
  return { kind: 'request', id, orderKey: id, takenMs: timeMs, signal, encoding, hops: kind >> 3, records, bytes };
}
