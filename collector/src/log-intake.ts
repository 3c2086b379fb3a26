import { AgentEventBatches } from './decode/agent-events.ts';
import { decodeAs } from './decode/json.ts';
import { type DecodedLogs, LogDecoder } from './decode/log-decoder.ts';
import type { Decoded } from './decode/wire.ts';
import type { AgentEvent } from './model/agent-event.ts';
import type { FieldTable } from './model/fields.ts';
import type { LogBatch } from './model/log-batch.ts';
import type { PriceList } from './model/prices.ts';
import type { Redactor } from './model/redaction.ts';
import type { SpanEvents } from './model/span-events.ts';
import type { Rows } from './model/spool.ts';
import { AgentEventReader } from './normalise/log-events/agent-event-reader.ts';
import { NormalisedEvents } from './normalise/span-events.ts';
import type { KeyBudget } from './store/rows/key-budget.ts';
import { LogRowEncoder } from './store/rows/otel-logs.ts';
import type { TimeRange } from './store/rows/times.ts';

/** Log requests, from bytes to rows and to what agents did in them. */
export class LogIntake {
  readonly #decoder: LogDecoder;
  readonly #reader: AgentEventReader;
  readonly #encoder: LogRowEncoder;

  constructor(fields: FieldTable, redactor?: Redactor, budget?: KeyBudget) {
    this.#decoder = new LogDecoder(fields);
    this.#reader = new AgentEventReader(fields);
    this.#encoder = new LogRowEncoder(fields, redactor, budget);
  }

  /** Records that could not be read as events, since the start: faults of ours. */
  get faults(): number {
    return this.#reader.faults;
  }

  get clampedRecords(): number {
    return this.#encoder.clamped;
  }

  get truncatedValues(): number {
    return this.#encoder.truncatedValues;
  }

  decode(encoding: 'protobuf' | 'json', bytes: Buffer): Decoded<DecodedLogs> {
    return decodeAs(this.#decoder, 'logs', encoding, bytes);
  }

  /** Rows for otel_logs, and the events in them; both outlive the batch. */
  take(batch: LogBatch, range: TimeRange): { readonly rows: Rows; readonly events: readonly AgentEvent[] } {
    const read = this.#reader.read(batch);
    const rows = this.#encoder.encode(batch, range, (log) => read.added.get(log) ?? []);
    return { rows, events: read.events };
  }
}

/** Events of agents as detection sees spans: they take the way that spans take. */
export class AgentEventSpans {
  readonly #batches: AgentEventBatches;
  readonly #events: NormalisedEvents;

  constructor(fields: FieldTable, prices?: PriceList) {
    this.#batches = new AgentEventBatches(fields);
    this.#events = new NormalisedEvents(fields, prices);
  }

  /** Valid until the next call. */
  bind(events: readonly AgentEvent[]): SpanEvents {
    return this.#events.bind(this.#batches.of(events));
  }
}
