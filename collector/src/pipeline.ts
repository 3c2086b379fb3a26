import { hash } from 'node:crypto';
import { otlpJsonToProtobuf } from './decode/json.ts';
import { type DecodedBatch, TraceDecoder } from './decode/trace-decoder.ts';
import type { FieldTable } from './model/fields.ts';
import type { Finding } from './model/finding.ts';
import { type Outcome, ok } from './model/outcome.ts';
import type { SpanEvents } from './model/span-events.ts';
import type { Rows } from './model/spool.ts';
import { NormalisedEvents } from './normalise/span-events.ts';
import type { TraceOutcome } from './receive/http.ts';
import { encodeFindings } from './store/rows/findings.ts';
import { SpanRowEncoder } from './store/rows/otel-traces.ts';

/** The rule engine as the pipeline needs it. */
export interface Detector {
  detect(events: SpanEvents, nowNanos: bigint): Finding[];
  /** Findings that become due because event time has come this far without a span. */
  advance(eventNanos: bigint): Finding[];
  /** Everything that is still open. */
  flush(): Finding[];
  readonly newestNanos: bigint;
}

/** The spool as the pipeline needs it. */
export interface DurableLog {
  committed(digest: Uint8Array): Promise<Outcome> | undefined;
  append(record: { digest: Uint8Array; rows: Rows[] }): Promise<Outcome>;
}

/** Counts and taps, called once per batch. */
export interface PipelineObserver {
  decoded?(batch: DecodedBatch, encoding: 'protobuf' | 'json'): void;
  malformed?(code: string): void;
  resent?(): void;
  detectFailed?(error: unknown): void;
  /** Findings that became due between batches. */
  settled?(findings: readonly Finding[]): void;
  /** The batch is only valid during the call. */
  batch?(events: SpanEvents, findings: readonly Finding[]): void;
}

export interface PipelineOptions {
  readonly fields: FieldTable;
  readonly detector: Detector;
  readonly log: DurableLog;
  /** Spans outside [now - retention, now + a day] are stored at the edge of that range. */
  readonly retentionMs: number;
  now(): number;
  readonly observer?: PipelineObserver;
}

const dayMs = 86_400_000;
/** Findings of correlations that are kept for the next append when the spool refuses one; the oldest are let go. */
const keptFindingsMax = 10_000;

/**
 * The data's way for one request: decode ▶ normalise ▶ detect ▶ rows ▶ spool. Everything up to the rows happens in one
 * go, because a batch lives only until the next is decoded; the answer waits for the fsync.
 */
export class TracePipeline {
  readonly #options: PipelineOptions;
  readonly #decoder: TraceDecoder;
  readonly #events: NormalisedEvents;
  readonly #encoder: SpanRowEncoder;
  /** Findings of correlations by id that the spool refused: no resend brings them again. */
  readonly #kept = new Map<string, Finding>();
  /** When the last batch came and how far event time was then; silence moves it on by the clock. */
  #lastBatch = { ms: 0, newestNanos: 0n };

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#decoder = new TraceDecoder(options.fields);
    this.#events = new NormalisedEvents(options.fields);
    this.#encoder = new SpanRowEncoder(options.fields);
  }

  get clampedSpans(): number {
    return this.#encoder.clamped;
  }

  get truncatedValues(): number {
    return this.#encoder.truncatedValues;
  }

  /** Takes one OTLP trace request through; `ok` means that its spans and findings are on disk. */
  async consume(encoding: 'protobuf' | 'json', bytes: Buffer): Promise<TraceOutcome> {
    const digest = hash('sha256', bytes, 'buffer').subarray(0, 16);
    // A sender that lost our answer sends the same bytes again: they are stored already, or about to be.
    const earlier = this.#options.log.committed(digest);
    if (earlier !== undefined) {
      this.#options.observer?.resent?.();
      return answer(await earlier, 0, '');
    }
    const decoded = this.#decode(encoding, bytes);
    if (decoded.status === 'malformed') {
      this.#options.observer?.malformed?.(decoded.code);
      return { status: 'refused', code: decoded.code, message: decoded.message };
    }
    const { count, message } = decoded.batch.rejected;
    if (decoded.batch.spanCount === 0) return { status: 'ok', rejected: count, message };
    const { rows, due } = this.#rows(decoded.batch);
    return answer(await this.#append(digest, rows, due), count, message);
  }

  /**
   * Stores the findings of correlations that became due while no span came; to be called every second or so. Event time
   * moves on with the clock from where the last batch left it, so that old spans sent later are late only after a pause.
   */
  async settle(): Promise<Outcome> {
    const { ms, newestNanos } = this.#lastBatch;
    const passedNanos = BigInt(Math.max(0, this.#options.now() - ms)) * 1_000_000n;
    const { detector } = this.#options;
    return this.#storeDue(newestNanos === 0n ? [] : this.#guarded(() => detector.advance(newestNanos + passedNanos)));
  }

  /** Decides everything that correlations still wait for, and stores it: the last thing before the end. */
  async flush(): Promise<Outcome> {
    return this.#storeDue(this.#guarded(() => this.#options.detector.flush()));
  }

  async #storeDue(due: readonly Finding[]): Promise<Outcome> {
    if (due.length > 0) this.#options.observer?.settled?.(due);
    const findings = this.#withKept(due);
    if (findings.length === 0) return ok;
    const rows = encodeFindings(findings);
    return this.#append(hash('sha256', rows.bytes, 'buffer').subarray(0, 16), [rows], findings);
  }

  /** Appends a record; what correlations found is kept when it is refused. */
  async #append(digest: Uint8Array, rows: Rows[], due: readonly Finding[]): Promise<Outcome> {
    const outcome = await this.#options.log.append({ digest, rows });
    if (rows[0]?.table === 'otel_traces') this.#encoder.release(rows[0]);
    if (outcome.status === 'ok') return outcome;
    for (const finding of due) {
      const newer = this.#kept.get(finding.id);
      if (newer === undefined || newer.lastSeenNanos! < finding.lastSeenNanos!) this.#kept.set(finding.id, finding);
      if (this.#kept.size > keptFindingsMax) this.#kept.delete(this.#kept.keys().next().value!);
    }
    return outcome;
  }

  /** The findings, before them what was kept and is not newer now. */
  #withKept(findings: readonly Finding[]): readonly Finding[] {
    const newer = new Set(findings.map(({ id }) => id));
    const kept = [...this.#kept.values()].filter(({ id }) => !newer.has(id));
    this.#kept.clear();
    return [...kept, ...findings];
  }

  #decode(encoding: 'protobuf' | 'json', bytes: Buffer): ReturnType<TraceDecoder['decode']> {
    let protobuf = bytes;
    if (encoding === 'json') {
      const translated = otlpJsonToProtobuf(bytes);
      if (translated.status === 'malformed') return translated;
      protobuf = translated.bytes;
    }
    const decoded = this.#decoder.decode(protobuf);
    if (decoded.status === 'ok') this.#options.observer?.decoded?.(decoded.batch, encoding);
    return decoded;
  }

  /** The rows of a batch, and those of its findings that a resend of it would not bring again. */
  #rows(batch: DecodedBatch): { readonly rows: Rows[]; readonly due: readonly Finding[] } {
    const { detector, observer, retentionMs } = this.#options;
    const now = this.#options.now();
    const events = this.#events.bind(batch);
    const found = this.#guarded(() => detector.detect(events, BigInt(now) * 1_000_000n));
    this.#lastBatch = { ms: now, newestNanos: detector.newestNanos };
    observer?.batch?.(events, found);
    const rows = [this.#encoder.encode(batch, { fromMs: now - retentionMs, toMs: now + dayMs })];
    const findings = this.#withKept(found);
    if (findings.length > 0) rows.push(encodeFindings(findings));
    return { rows, due: findings.filter(({ lastSeenNanos }) => lastSeenNanos !== undefined) };
  }

  /** A fault in detection must not cost the spans. */
  #guarded(detect: () => Finding[]): Finding[] {
    try {
      return detect();
    } catch (error) {
      this.#options.observer?.detectFailed?.(error);
      return [];
    }
  }
}

function answer(outcome: Outcome, rejected: number, message: string): TraceOutcome {
  if (outcome.status === 'ok') return { status: 'ok', rejected, message };
  // The spool's reasons start with their code.
  const [code, ...rest] = outcome.reason.split(': ');
  if (outcome.status === 'permanent')
    return { status: 'refused', code: 'SW_HTTP_BODY_TOO_LARGE', message: rest.join(': ') };
  const known = code === 'SW_SPOOL_WRITE' || code === 'SW_SHUTTING_DOWN' ? code : 'SW_SPOOL_FULL';
  return { status: 'retryable', code: known, message: rest.join(': '), retryAfterMs: outcome.retryAfterMs ?? 1000 };
}
