import {
  type Attributes,
  type Span as OwnSpan,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { Signal } from '../decode/json.ts';
import type { DurableLog } from '../durable-log.ts';
import type { AttributeSource } from '../model/span-batch.ts';
import { Scope, Span, type SpanBatch } from '../model/span-batch.ts';
import type { SealedSegment, SegmentSource } from '../model/spool.ts';
import type { PipelineObserver } from '../pipeline.ts';
import type { OtlpOutcome, ReceiveOptions } from '../receive/contract.ts';
import type { ShipperHooks } from '../store/shipper.ts';
import { type Exporting, ownScope } from './exporting.ts';

interface Received {
  readonly signal: Signal;
  readonly encoding: 'protobuf' | 'json';
  readonly bytes: number;
}

/** A request on its way: when each stage was over, in ms since the epoch. */
interface Followed extends Received {
  readonly fromMs: number;
  decodedMs?: number;
  judgedMs?: number;
  /** When all was done that is done before the disk. */
  workedMs?: number;
  records?: number;
  findings?: number;
  /** It brings spans of a collector's own work, or nothing is known of what it brings. */
  isSilent: boolean;
}

/** Segments that are remembered to have spans made of them. */
const segmentsMax = 4096;

/** What a collector puts around what its stages give and get. */
export interface OwnWork {
  consume(consume: ReceiveOptions['consume']): ReceiveOptions['consume'];
  observer(observer: PipelineObserver): PipelineObserver;
  log(log: DurableLog): DurableLog;
  segments(source: SegmentSource): SegmentSource;
  hooks(hooks: ShipperHooks): ShipperHooks;
  stop(): Promise<void>;
}

/**
 * Makes spans of what the collector does: `receive` for a request, with `decode`, `detect`, `encode` and `append` in it, and `ship` for a
 * segment. They are made when the work is over, from times that were noted; they hold sizes, counts and outcomes, nothing that a
 * sender wrote. Of requests that bring such spans, from this or another collector, and of segments with nothing else none are made, so
 * that a collector may send them to itself.
 */
export class OwnTraces implements OwnWork {
  readonly #tracer: Tracer;
  readonly #stop: () => Promise<void>;
  /** The request whose work is being done right now: nothing between its beginning and the disk waits for anything. */
  #current: Followed | undefined;
  /** Sequences of segments with rows of others. */
  readonly #segments = new Set<number>();
  #shipping: { readonly segment: SealedSegment; readonly fromMs: number; readonly inserts: Insert[] } | undefined;

  constructor({ tracer, stop }: Exporting) {
    this.#tracer = tracer;
    this.#stop = stop;
  }

  stop(): Promise<void> {
    return this.#stop();
  }

  /** Follows each request: its work begins at once and ends with the answer. */
  consume(consume: ReceiveOptions['consume']): ReceiveOptions['consume'] {
    return (encoding, bytes, signal, hops) =>
      this.#follow({ signal, encoding, bytes: bytes.length }, () => consume(encoding, bytes, signal, hops));
  }

  async #follow(received: Received, work: () => Promise<OtlpOutcome>): Promise<OtlpOutcome> {
    const followed: Followed = { ...received, fromMs: nowMs(), isSilent: true };
    this.#current = followed;
    let working: Promise<OtlpOutcome>;
    try {
      working = work();
    } finally {
      this.#current = undefined;
      followed.workedMs = nowMs();
    }
    const outcome = await working;
    if (!followed.isSilent) this.#tell(followed, outcome);
    return outcome;
  }

  /** An observer that tells where a request is. */
  observer(observer: PipelineObserver): PipelineObserver {
    return {
      ...observer,
      decoded: (batch, encoding) => {
        observer.decoded?.(batch, encoding);
        this.#decoded(batch.spanCount, isOwn(batch));
      },
      decodedLogs: (batch, encoding) => {
        observer.decodedLogs?.(batch, encoding);
        this.#decoded(batch.logCount, false);
      },
      decodedMetrics: (batch, encoding) => {
        observer.decodedMetrics?.(batch, encoding);
        this.#decoded(batch.pointCount, false);
      },
      malformed: (code) => {
        observer.malformed?.(code);
        if (this.#current) this.#current.isSilent = false;
      },
      batch: (events, findings) => {
        observer.batch?.(events, findings);
        const current = this.#current;
        if (current === undefined) return;
        // What comes after the spans of the request is told by others, and log records are encoded before they are judged.
        if (current.signal === 'traces') current.judgedMs ??= nowMs();
        current.findings = (current.findings ?? 0) + findings.length;
      },
    };
  }

  /** A log that notes which segments hold what requests brought. */
  log(log: DurableLog): DurableLog {
    return {
      committed: (digest) => log.committed(digest),
      refusal: (bytes) => log.refusal(bytes),
      append: async (record) => {
        const isTold = this.#current !== undefined && !this.#current.isSilent;
        const outcome = await log.append(record);
        if (isTold && outcome.segment !== undefined && this.#segments.size < segmentsMax)
          this.#segments.add(outcome.segment);
        return outcome;
      },
    };
  }

  /** A source whose segments are followed, one at a time as the shipper takes them. */
  segments(source: SegmentSource): SegmentSource {
    return {
      next: async (signal) => {
        const segment = await source.next(signal);
        const isTold = segment !== undefined && this.#segments.delete(sequenceOf(segment));
        this.#shipping = isTold ? { segment, fromMs: nowMs(), inserts: [] } : undefined;
        return segment;
      },
      sent: async (segment) => {
        await source.sent(segment);
        this.#shipped(segment, 0);
      },
      deadLetter: async (segment, refused) => {
        await source.deadLetter(segment, refused);
        this.#shipped(
          segment,
          refused.reduce((sum, { rows }) => sum + rows, 0),
        );
      },
    };
  }

  /** Hooks that note what is inserted. */
  hooks(hooks: ShipperHooks): ShipperHooks {
    return {
      ...hooks,
      inserted: (table, rows, bytes) => {
        hooks.inserted?.(table, rows, bytes);
        this.#shipping?.inserts.push({ table, rows, bytes, atMs: nowMs() });
      },
    };
  }

  #decoded(records: number, isOwn: boolean): void {
    const current = this.#current;
    if (current === undefined) return;
    current.decodedMs = nowMs();
    current.records = records;
    current.isSilent = isOwn || records === 0;
  }

  #tell(followed: Followed, outcome: OtlpOutcome): void {
    const { fromMs, decodedMs, judgedMs, workedMs, records, findings, signal, encoding, bytes } = followed;
    const toMs = nowMs();
    const root = this.#tracer.startSpan(
      `receive ${signal}`,
      {
        kind: SpanKind.SERVER,
        startTime: fromMs,
        attributes: named({ signal, encoding, bytes, records, findings, outcome: codeOf(outcome) }),
      },
      ROOT_CONTEXT,
    );
    if (outcome.status !== 'ok') root.setStatus({ code: SpanStatusCode.ERROR });
    if (root.isRecording()) {
      const worked = workedMs ?? toMs;
      this.#child(root, 'decode', fromMs, decodedMs ?? worked);
      if (decodedMs !== undefined && judgedMs !== undefined) this.#child(root, 'detect', decodedMs, judgedMs);
      if (decodedMs !== undefined) this.#child(root, 'encode', judgedMs ?? decodedMs, worked);
      if (decodedMs !== undefined) this.#child(root, 'append', worked, toMs);
    }
    root.end(toMs);
  }

  #shipped(segment: SealedSegment, refusedRows: number): void {
    const shipping = this.#shipping;
    this.#shipping = undefined;
    if (shipping?.segment !== segment) return;
    const rows = segment.tables.reduce((sum, table) => sum + table.rows, 0);
    const bytes = segment.tables.reduce((sum, table) => sum + table.bytes, 0);
    const root = this.#tracer.startSpan(
      'ship',
      { startTime: shipping.fromMs, attributes: named({ rows, bytes, refused_rows: refusedRows }) },
      ROOT_CONTEXT,
    );
    if (refusedRows > 0) root.setStatus({ code: SpanStatusCode.ERROR });
    // One insert follows the other.
    let fromMs = shipping.fromMs;
    for (const { table, rows, bytes, atMs } of root.isRecording() ? shipping.inserts : []) {
      this.#child(root, `insert ${table}`, fromMs, atMs, named({ rows, bytes }));
      fromMs = atMs;
    }
    root.end(nowMs());
  }

  #child(root: OwnSpan, name: string, fromMs: number, toMs: number, attributes: Attributes = {}): void {
    this.#tracer.startSpan(name, { startTime: fromMs, attributes }, trace.setSpan(ROOT_CONTEXT, root)).end(toMs);
  }
}

interface Insert {
  readonly table: string;
  readonly rows: number;
  readonly bytes: number;
  readonly atMs: number;
}

/** Whether all spans are of a collector's own work. */
function isOwn(batch: SpanBatch): boolean {
  let last = -1;
  for (let span = 0; span < batch.spanCount; span++) {
    const scope = batch.spans[span * Span.stride + Span.scope]!;
    if (scope !== last && scopeName(batch, batch.scopes, scope) !== ownScope) return false;
    last = scope;
  }
  return true;
}

function scopeName(source: AttributeSource, scopes: Int32Array<ArrayBufferLike>, scope: number): string {
  const at = scope * Scope.stride;
  return source.text(scopes[at + Scope.name]!, scopes[at + Scope.nameLength]!);
}

function sequenceOf({ id }: SealedSegment): number {
  return Number(id.split('-')[1]);
}

function codeOf(outcome: OtlpOutcome): string {
  return outcome.status === 'ok' ? 'ok' : outcome.code;
}

function named(values: Readonly<Record<string, string | number | undefined>>): Attributes {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) =>
      value === undefined ? [] : [[`spanwarden.collector.${name}`, value]],
    ),
  );
}

function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
