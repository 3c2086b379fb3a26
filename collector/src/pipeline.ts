import { hash } from 'node:crypto';
import { decodeAs, type Signal } from './decode/json.ts';
import type { DecodedLogs } from './decode/log-decoder.ts';
import type { DecodedMetrics } from './decode/metric-decoder.ts';
import { type DecodedBatch, TraceDecoder } from './decode/trace-decoder.ts';
import type { Sift } from './detect/resends/resent-records.ts';
import type { Slices } from './detect/state.ts';
import type { DurableLog } from './durable-log.ts';
import { type Detector, Judging, type JudgingOptions } from './judging.ts';
import { LogIntake } from './log-intake.ts';
import { MetricIntake } from './metric-intake.ts';
import type { Case } from './model/case.ts';
import type { ErrorCode } from './model/errors.ts';
import type { Finding } from './model/finding.ts';
import { type Outcome, ok } from './model/outcome.ts';
import type { Redactor } from './model/redaction.ts';
import type { SpanEvents } from './model/span-events.ts';
import type { Original, Rows } from './model/spool.ts';
import { type DialectFaults, NormalisedEvents } from './normalise/span-events.ts';
import { storedFacts } from './normalise/stored-facts.ts';
import { type Incoming, type KeptRecords, type Originals, recordsOf } from './originals.ts';
import type { OtlpOutcome } from './receive/contract.ts';
import { redactedCases, redactedFindings } from './redact/records.ts';
import { type Found, Refused } from './refused.ts';
import type { Resends } from './resends.ts';
import { JournalLog } from './state/journal-log.ts';
import { encodeCases } from './store/rows/cases.ts';
import { encodeFindings } from './store/rows/findings.ts';
import type { KeyBudget } from './store/rows/key-budget.ts';
import { SpanRowEncoder } from './store/rows/otel-traces.ts';

/** Counts and taps, called once per batch. */
export interface PipelineObserver {
  decoded?(batch: DecodedBatch, encoding: 'protobuf' | 'json'): void;
  decodedLogs?(batch: DecodedLogs, encoding: 'protobuf' | 'json'): void;
  decodedMetrics?(batch: DecodedMetrics, encoding: 'protobuf' | 'json'): void;
  malformed?(code: string): void;
  resent?(): void;
  /** Spans, log records or data points of a batch that came with another one before. */
  resentRecords?(signal: Signal, count: number): void;
  detectFailed?(error: unknown): void;
  /** Findings that became due between batches. */
  settled?(findings: readonly Finding[]): void;
  /** The batch is only valid during the call. */
  batch?(events: SpanEvents, findings: readonly Finding[]): void;
}

export interface PipelineOptions extends JudgingOptions {
  readonly detector: Detector;
  readonly log: DurableLog;
  /** Knows what came before, and is kept with the detector's memory; without it only whole requests are recognised. */
  readonly resends?: Resends | undefined;
  /** Spans outside [now - retention, now + a day] are stored at the edge of that range. */
  readonly retentionMs: number;
  /** What takes out of the rows of each table what must not be stored; a table without one is stored as it is. */
  readonly redactors?: Redactors;
  /** Whether messages of calls are stored once and named by spans; by default spans are stored as they came. */
  readonly messages?: 'full' | 'once';
  /** How many different attribute keys a service may have stored; without it all are. */
  readonly keys?: KeyBudget;
  /** What is kept of requests for those who hand them on; without it nothing is. */
  readonly originals?: Originals | undefined;
  /** Numbers the journal; goes on where the last run ended. */
  readonly journal?: JournalLog;
  readonly observer?: PipelineObserver;
}

/** What a request brought: nothing to store where all its records were refused. */
type Taken = { readonly status: 'malformed'; readonly code: ErrorCode; readonly message: string } | TakenBatch;

interface TakenBatch {
  readonly status: 'ok';
  readonly rejected: { count: number; message: string };
  readonly stored?: Stored;
  /** Outcomes of other records that hold a part of the request. */
  readonly earlier?: readonly Promise<Outcome>[];
}

interface Stored {
  readonly rows: Rows[];
  readonly found: Found;
  readonly original?: Original | undefined;
  readonly sift?: Sift | undefined;
  /** To be called when the rows are on disk. */
  readonly landed?: (() => void) | undefined;
}

/** By table; undefined where nothing is taken out. */
export interface Redactors {
  readonly otel_traces?: Redactor | undefined;
  readonly otel_logs?: Redactor | undefined;
  readonly otel_metrics?: Redactor | undefined;
  readonly findings?: Redactor | undefined;
  readonly cases?: Redactor | undefined;
}

/** The same bytes are another request where they are sent as another signal. */
const signalMarks: Readonly<Record<Signal, number>> = { traces: 0, logs: 0x80, metrics: 0x40 };

const dayMs = 86_400_000;
/** While no span comes, what moving the clock on left in the journal is stored once in so many times. */
const quietSettlesMax = 600;

/**
 * The data's way for one request: decode ▶ normalise ▶ detect ▶ rows ▶ spool. Everything up to the rows happens in one
 * go, because a batch lives only until the next is decoded; the answer waits for the fsync.
 */
export class TracePipeline {
  readonly #options: PipelineOptions;
  readonly #decoder: TraceDecoder;
  readonly #events: NormalisedEvents;
  readonly #encoder: SpanRowEncoder;
  readonly #logs: LogIntake;
  /** Data points, from bytes to rows; its counts are for gauges. */
  readonly metricPoints: MetricIntake;
  readonly #judging: Judging;
  readonly #journal: JournalLog;
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #refused = new Refused();
  #quietSettles = 0;
  /** When the last batch came and how far event time was then; silence moves it on by the clock. */
  #lastBatch: { readonly ms: number; readonly newestNanos: bigint };

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#journal = options.journal ?? new JournalLog();
    this.#judging = new Judging(options);
    // After a restart senders get time to bring what they could not bring before.
    this.#lastBatch = { ms: options.now(), newestNanos: this.#judging.newestNanos };
    this.#decoder = new TraceDecoder(options.fields);
    this.#events = new NormalisedEvents(options.fields, options.prices);
    const { fields, redactors, messages, keys } = options;
    this.#encoder = new SpanRowEncoder(fields, storedFacts, redactors?.otel_traces, messages, keys);
    this.metricPoints = new MetricIntake(fields, redactors?.otel_metrics, keys);
    this.#logs = new LogIntake(fields, redactors?.otel_logs, keys);
  }

  /** What happened to log records, since the start. */
  get logs(): Pick<LogIntake, 'clampedRecords' | 'truncatedValues' | 'faults'> {
    return this.#logs;
  }

  get clampedSpans(): number {
    return this.#encoder.clamped;
  }

  get truncatedValues(): number {
    return this.#encoder.truncatedValues;
  }

  /** What could not be taken from spans of other dialects, since the start. */
  get dialectFaults(): DialectFaults {
    return this.#events.faults;
  }

  /** Takes one OTLP request through; `ok` means that its spans or log records, and its findings, are on disk. */
  async consume(
    encoding: 'protobuf' | 'json',
    bytes: Buffer,
    signal: Signal = 'traces',
    hops = 0,
  ): Promise<OtlpOutcome> {
    const digest = hash('sha256', bytes, 'buffer').subarray(0, 16);
    digest[0]! ^= signalMarks[signal];
    // A sender that lost our answer sends the same bytes again: they are stored already, or about to be.
    const committed = this.#options.log.committed(digest);
    if (committed !== undefined) {
      this.#options.observer?.resent?.();
      return answer(await committed, 0, '');
    }
    // Refused after detection it would be in the windows already, and take room there each time it comes again.
    const refusal = this.#options.log.refusal(bytes.length);
    if (refusal !== undefined) return answer(refusal, 0, '');
    const taken = this.#take({ encoding, bytes, signal, hops });
    if (taken.status === 'malformed') {
      this.#options.observer?.malformed?.(taken.code);
      return { status: 'refused', code: taken.code, message: taken.message };
    }
    const { rejected, stored, earlier = [] } = taken;
    // A record that is not all of the request must not be taken for it when it comes again.
    const own = stored && this.#append(earlier.length === 0 ? digest : undefined, stored);
    const outcomes = await Promise.all([own ?? ok, ...earlier]);
    return answer(outcomes.find(({ status }) => status !== 'ok') ?? ok, rejected.count, rejected.message);
  }

  /**
   * Stores the findings of correlations that became due while no span came; to be called every second or so. Event time
   * moves on with the clock from where the last batch left it, so that old spans sent later are late only after a pause.
   */
  async settle(): Promise<Outcome> {
    const { ms, newestNanos } = this.#lastBatch;
    const passedNanos = BigInt(Math.max(0, this.#options.now() - ms)) * 1_000_000n;
    const { detector } = this.#options;
    const due = newestNanos === 0n ? [] : this.#judging.advance(newestNanos + passedNanos);
    const cases = detector.takeCases?.() ?? [];
    const isQuiet = due.length === 0 && cases.length === 0 && this.#refused.isEmpty;
    if (isQuiet && this.#quietSettles++ < quietSettlesMax) return ok;
    return this.#storeDue(due, cases);
  }

  /** Decides everything that correlations still wait for, and stores it; they begin anew. */
  async flush(): Promise<Outcome> {
    const { detector } = this.#options;
    return this.#storeDue(this.#judging.flush(), detector.takeCases?.() ?? []);
  }

  /** Everything that detection remembers, in pieces; the journal before it is noted as such. */
  slices(pieceBytes?: number): Slices {
    this.#noteJournal();
    return this.#options.detector.slices(pieceBytes);
  }

  /** Puts on disk what the journal holds, with the findings that were refused; waits for what is on its way. */
  async storeJournal(): Promise<void> {
    await this.#storeDue([], []);
    await Promise.allSettled(this.#underWay);
  }

  #storeDue(due: readonly Finding[], cases: readonly Case[]): Promise<Outcome> {
    if (due.length > 0) this.#options.observer?.settled?.(due);
    this.#noteJournal();
    const found = this.#refused.with({ findings: due, cases });
    return this.#append(undefined, { rows: rowsOf(found, this.#options.redactors), found });
  }

  #noteJournal(): void {
    this.#quietSettles = 0;
    this.#journal.add(this.#options.detector.takeJournal());
  }

  /** Appends a record; what was found is kept when it is refused. Without a digest it is one that nobody sends again. */
  #append(digest: Uint8Array | undefined, { rows, found, original, sift, landed }: Stored): Promise<Outcome> {
    const outgoing = this.#journal.outgoing();
    if (rows.length === 0 && outgoing.numbers.length === 0) return Promise.resolve(ok);
    const journal = outgoing.bytes;
    const landing = this.#options.log
      .append({ digest: digest ?? digestOf([...rows.map(({ bytes }) => bytes), journal]), rows, journal, original })
      .then((outcome) => {
        if (rows[0]?.table === 'otel_traces') this.#encoder.release(rows[0]);
        if (outcome.status === 'ok' && outcome.duplicate !== true) {
          this.#journal.landed(outgoing, outcome.segment ?? 0);
          sift?.settle(true);
          landed?.();
          return outcome;
        }
        this.#journal.refused(outgoing);
        this.#unsift(sift);
        this.#refused.keep(found);
        return outcome;
      })
      .finally(() => {
        // Where nothing was said, because of a fault of ours: what may not be stored must not be known.
        this.#unsift(sift);
        this.#underWay.delete(landing);
      });
    sift?.underWay(landing);
    this.#underWay.add(landing);
    return landing;
  }

  /** What it held is unknown again, and whatever record takes the journal on says so, too. */
  #unsift(sift: Sift | undefined): void {
    if (sift === undefined || sift.isSettled) return;
    sift.settle(false);
    this.#noteJournal();
  }

  #take(request: Incoming): Taken {
    const { signal } = request;
    if (signal === 'traces') return this.#takeSpans(request);
    return signal === 'logs' ? this.#takeLogs(request) : this.#takeMetrics(request);
  }

  #takeSpans(request: Incoming): Taken {
    const { encoding, bytes } = request;
    const decoded = decodeAs(this.#decoder, 'traces', encoding, bytes);
    if (decoded.status === 'malformed') return decoded;
    const { batch } = decoded;
    return this.#sifted(request, this.#options.resends?.traces?.sift(batch), () => {
      this.#options.observer?.decoded?.(batch, encoding);
      const { rejected } = batch;
      if (batch.spanCount === 0) return { status: 'ok', rejected };
      return { status: 'ok', rejected, stored: this.#rows(batch), records: recordsOf.traces(batch) };
    });
  }

  #takeLogs(request: Incoming): Taken {
    const { encoding, bytes } = request;
    const decoded = this.#logs.decode(encoding, bytes);
    if (decoded.status === 'malformed') return decoded;
    const { batch } = decoded;
    return this.#sifted(request, this.#options.resends?.logs?.sift(batch), () => {
      this.#options.observer?.decodedLogs?.(batch, encoding);
      const { rejected } = batch;
      if (batch.logCount === 0) return { status: 'ok', rejected };
      const now = this.#options.now();
      const { rows, events } = this.#logs.take(batch, this.#range(now));
      const stored = this.#stored(rows, this.#judging.logs(events), now);
      return { status: 'ok', rejected, stored, records: recordsOf.logs(batch) };
    });
  }

  #takeMetrics(request: Incoming): Taken {
    const { encoding, bytes } = request;
    const decoded = this.metricPoints.decode(encoding, bytes);
    if (decoded.status === 'malformed') return decoded;
    const { batch } = decoded;
    return this.#sifted(request, this.#options.resends?.metrics?.sift(batch), () => {
      this.#options.observer?.decodedMetrics?.(batch, encoding);
      const { rejected } = batch;
      if (batch.pointCount === 0) return { status: 'ok', rejected };
      const rows = this.metricPoints.take(batch, this.#range(this.#options.now()));
      // No rule looks at them, but that they are known from now on has to land with them.
      this.#noteJournal();
      const stored = { rows, found: { findings: [], cases: [] } };
      return { status: 'ok', rejected, stored, records: recordsOf.metrics(batch) };
    });
  }

  /** Takes what a sift left of a batch; when that fails, it is as if it had never come. */
  #sifted(
    request: Incoming,
    sift: Sift | undefined,
    take: () => TakenBatch & { readonly records?: KeptRecords },
  ): Taken {
    const resent = sift?.resent ?? 0;
    try {
      if (resent > 0) this.#options.observer?.resentRecords?.(request.signal, resent);
      const { rejected, stored, records } = take();
      const taken = { status: 'ok', rejected, earlier: sift?.earlier ?? [] } as const;
      if (stored === undefined || records === undefined) return taken;
      const original = this.#options.originals?.of(request, records, resent === 0 && rejected.count === 0);
      return { ...taken, stored: { ...stored, sift, original } };
    } catch (error) {
      this.#unsift(sift);
      throw error;
    }
  }

  /** The rows of a batch, and what was found in it. */
  #rows(batch: DecodedBatch): Stored {
    const now = this.#options.now();
    const events = this.#events.bind(batch);
    const findings = this.#judging.spans(events);
    this.#options.observer?.batch?.(events, findings);
    const spans = this.#encoder.encode(batch, this.#range(now), events);
    const messages = this.#encoder.takeMessages();
    const stored = this.#stored(spans, findings, now);
    return messages === undefined
      ? stored
      : { ...stored, rows: [...stored.rows, messages.rows], landed: messages.landed };
  }

  /** What a batch leaves behind, after what it made due was judged. The batch is no longer needed. */
  #stored(rows: Rows, findings: readonly Finding[], now: number): Stored {
    const { newestNanos } = this.#judging;
    const all = [...findings, ...this.#judging.told(newestNanos)];
    this.#lastBatch = { ms: now, newestNanos };
    this.#noteJournal();
    const found = this.#refused.with({ findings: all, cases: this.#options.detector.takeCases?.() ?? [] });
    return { rows: [rows, ...rowsOf(found, this.#options.redactors)], found };
  }

  #range(now: number): { readonly fromMs: number; readonly toMs: number } {
    return { fromMs: now - this.#options.retentionMs, toMs: now + dayMs };
  }
}

function rowsOf({ findings, cases }: Found, redactors: Redactors = {}): Rows[] {
  return [
    ...(findings.length > 0 ? [encodeFindings(redactedFindings(findings, redactors.findings))] : []),
    ...(cases.length > 0 ? [encodeCases(redactedCases(cases, redactors.cases))] : []),
  ];
}

function digestOf(parts: readonly Uint8Array[]): Uint8Array {
  return hash('sha256', Buffer.concat(parts), 'buffer').subarray(0, 16);
}

function answer(outcome: Outcome, rejected: number, message: string): OtlpOutcome {
  if (outcome.status === 'ok') return { status: 'ok', rejected, message };
  // The spool's reasons start with their code.
  const [code, ...rest] = outcome.reason.split(': ');
  if (outcome.status === 'permanent')
    return { status: 'refused', code: 'SW_HTTP_BODY_TOO_LARGE', message: rest.join(': ') };
  const known = code === 'SW_SPOOL_WRITE' || code === 'SW_SHUTTING_DOWN' ? code : 'SW_SPOOL_FULL';
  return { status: 'retryable', code: known, message: rest.join(': '), retryAfterMs: outcome.retryAfterMs ?? 1000 };
}
