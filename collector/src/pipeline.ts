import { hash } from 'node:crypto';
import { otlpJsonToProtobuf } from './decode/json.ts';
import { type DecodedBatch, TraceDecoder } from './decode/trace-decoder.ts';
import type { FieldTable } from './model/fields.ts';
import type { Finding } from './model/finding.ts';
import type { Outcome } from './model/outcome.ts';
import type { SpanEvents } from './model/span-events.ts';
import type { Rows } from './model/spool.ts';
import { NormalisedEvents } from './normalise/span-events.ts';
import type { TraceOutcome } from './receive/http.ts';
import { encodeFindings } from './store/rows/findings.ts';
import { SpanRowEncoder } from './store/rows/otel-traces.ts';

/** The rule engine as the pipeline needs it. */
export interface Detector {
  detect(events: SpanEvents): Finding[];
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

/**
 * The data's way for one request: decode ▶ normalise ▶ detect ▶ rows ▶ spool. Everything up to the rows happens in one
 * go, because a batch lives only until the next is decoded; the answer waits for the fsync.
 */
export class TracePipeline {
  readonly #options: PipelineOptions;
  readonly #decoder: TraceDecoder;
  readonly #events: NormalisedEvents;
  readonly #encoder: SpanRowEncoder;

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
    const rows = this.#rows(decoded.batch);
    if (rows.length === 0) return { status: 'ok', rejected: count, message };
    return answer(await this.#options.log.append({ digest, rows }), count, message);
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

  #rows(batch: DecodedBatch): Rows[] {
    if (batch.spanCount === 0) return [];
    const events = this.#events.bind(batch);
    const findings = this.#detect(events);
    this.#options.observer?.batch?.(events, findings);
    const now = this.#options.now();
    const rows = [this.#encoder.encode(batch, { fromMs: now - this.#options.retentionMs, toMs: now + dayMs })];
    if (findings.length > 0) rows.push(encodeFindings(findings));
    return rows;
  }

  /** A fault in detection must not cost the spans. */
  #detect(events: SpanEvents): Finding[] {
    try {
      return this.#options.detector.detect(events);
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
