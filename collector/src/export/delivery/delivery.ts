import type { ExportEvent } from '../../model/export-event.ts';
import { limits } from '../../model/limits.ts';
import type { Batching, Deliverable, Destination, SendOutcome } from '../contract.ts';
import type { EventSource } from '../source.ts';
import { Circuit } from './circuit.ts';
import { type Clock, sleep } from './clock.ts';
import type { CursorKeeper } from './cursor-keeper.ts';
import type { DeadLetter, DeadLetters } from './dead-letters.ts';
import { type ExportLogger, Health, oneLine } from './health.ts';
import { type Item, Lane, type LaneHost } from './lane.ts';
import { laneOfKey } from './lane-of.ts';
import { Window, type WindowOptions } from './window.ts';

export interface DeliveryOptions<Event extends Deliverable = ExportEvent> {
  readonly name: string;
  readonly destination: Destination<Event>;
  readonly source: EventSource<Event>;
  readonly cursor: CursorKeeper;
  readonly deadLetters: Pick<DeadLetters, 'add'>;
  /** The event as the destination is to get it; undefined when it is not to get it. */
  prepare(event: Event): Event | undefined;
  /** Calls of `send` at once, at most. */
  readonly lanes: number;
  /** The lane of an event, from 0; unless it is given, that of its order key. */
  laneOf?(event: Event): number;
  readonly batch: Batching;
  /** A call that has not ended by then is aborted; `limits.exportCallMsMax` unless a test says otherwise. */
  readonly timeoutMs?: number;
  readonly window: WindowOptions;
  readonly clock: Clock;
  readonly logger?: ExportLogger | undefined;
  /** Told of each event that the receiver has. */
  delivered?(event: Event): void;
}

/** Counted since the start. */
export interface DeliveryCounts {
  delivered: number;
  /** Events that became dead letters. */
  refused: number;
  /** Records in what was delivered that the receiver did not take, and said so. */
  rejected: number;
  /** Calls that failed and were followed by another. */
  retried: number;
  /** Records of the stream, or segments of requests, that were gone before they could be read. */
  lost: number;
  /** Events that the filter let be. */
  filtered: number;
}

/** A destination that ignores the end is left alone after this. */
const abortGraceMs = 1_000;

/**
 * Brings the events of the stream to one destination: at least once, in order for each order key, in batches, and again until each is
 * delivered or noted as a dead letter. What it holds in memory is bounded, so that a destination that is away costs nothing but time.
 */
export class Delivery<Event extends Deliverable = ExportEvent> {
  readonly #options: DeliveryOptions<Event>;
  readonly #lanes: readonly Lane<Event>[];
  readonly #window: Window;
  readonly #closed = new AbortController();
  readonly #draining = new AbortController();
  readonly #ended = new AbortController();
  readonly circuit: Circuit;
  readonly health: Health;
  readonly counts: DeliveryCounts = { delivered: 0, refused: 0, rejected: 0, retried: 0, lost: 0, filtered: 0 };
  #running: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: DeliveryOptions<Event>) {
    const { destination, batch, clock } = options;
    this.#options = options;
    this.circuit = new Circuit(clock);
    this.health = new Health(options.name, clock, options.logger);
    this.#window = new Window(options.window, options.cursor.ledger, () => {
      for (const lane of this.#lanes) lane.hurry();
    });
    const host: LaneHost<Event> = {
      clock,
      circuit: this.circuit,
      batch: {
        ...destination.limits,
        eventsMax: Math.min(batch.eventsMax, destination.limits.eventsMax),
        bytesMax: Math.min(batch.bytesMax, destination.limits.bytesMax),
        lingerMs: batch.lingerMs,
      },
      isFull: () => this.#window.isFull,
      mayJoin: (one, other) => destination.mayJoin?.(one, other) ?? true,
      send: (items) => this.#send(items),
      delivered: (items, answer, rejected) => this.#delivered(items, answer, rejected),
      refused: (items) => this.#refused(items),
      failed: (lane, trouble, reason) => {
        this.counts.retried++;
        this.health.failed(lane, trouble, reason);
      },
      recovered: (lane) => this.health.recovered(lane),
      closed: this.#closed.signal,
      draining: this.#draining.signal,
      ended: this.#ended.signal,
    };
    this.#lanes = Array.from({ length: options.lanes }, () => new Lane(host));
  }

  /** Events in memory: queued and under way. */
  get waiting(): { readonly events: number; readonly bytes: number } {
    return this.#window;
  }

  /** When the collector took in the oldest event that is read and not settled. */
  get oldestMs(): number | undefined {
    return this.#options.cursor.ledger.first?.takenMs;
  }

  get isStopped(): boolean {
    return this.#ended.signal.aborted;
  }

  /** Reads and delivers until `stop`, or, where the source ends, until all of it is settled. Never rejects. */
  run(): Promise<void> {
    this.#running ??= this.#runAll();
    return this.#running;
  }

  /**
   * Sends once more what is in memory, waits so long for answers, and ends: what has none by then is sent again by the next run. The
   * cursor is written afterwards. Idempotent.
   */
  stop(graceMs: number): Promise<void> {
    this.#stopping ??= this.#stop(graceMs);
    return this.#stopping;
  }

  async #stop(graceMs: number): Promise<void> {
    this.#draining.abort();
    this.#closed.abort();
    const cancel = this.#options.clock.timer(graceMs, () => this.#ended.abort());
    const late = new AbortController();
    // A source that failed against its word was told of where `run` was called; a stop ends all the same.
    await Promise.race([this.#running?.catch(() => undefined), this.#overdue(late.signal)]);
    late.abort();
    cancel();
    this.#ended.abort();
    await this.#options.cursor.close();
  }

  /** Some time after the end: nobody waits longer than that. */
  async #overdue(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      if (this.#ended.signal.aborted) resolve();
      else this.#ended.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await sleep(this.#options.clock, abortGraceMs, signal);
  }

  async #runAll(): Promise<void> {
    const lanes = this.#lanes.map((lane) => lane.run());
    await this.#read();
    this.#closed.abort();
    await Promise.all(lanes);
  }

  async #read(): Promise<void> {
    const { source, cursor } = this.#options;
    const { ledger } = cursor;
    const { signal } = this.#draining;
    while (!signal.aborted) {
      const read = await source.read(ledger.through, signal);
      if (read === undefined) return;
      for (const { position, events } of read.batch) {
        await this.#take(position, events);
        if (signal.aborted) return;
      }
      this.counts.lost += read.lost;
      ledger.pass(read.through);
      cursor.changed();
    }
  }

  /** Puts the events of a record into the lanes, as far as there is room. */
  async #take(position: number, events: readonly Event[]): Promise<void> {
    const { cursor, clock, laneOf } = this.#options;
    const wanted = events.map((event) => this.#prepared(event)).filter((each) => each !== undefined);
    this.counts.filtered += events.length - wanted.length;
    const record = cursor.ledger.enter(position, wanted.length, wanted[0]?.event.takenMs ?? 0);
    for (const { event, isBroken } of wanted) {
      if (cursor.isSettled(event.id)) {
        cursor.settle(record, event.id);
        continue;
      }
      const body = isBroken ? undefined : this.#encoded(event);
      const part = this.#options.destination.limits.partitionOf?.(event) ?? '';
      const item: Item<Event> = { event, body: body ?? Buffer.alloc(0), record, queuedMs: clock.now(), part };
      await this.#window.room(record, weight(item), this.#draining.signal);
      if (this.#draining.signal.aborted) return;
      this.#window.add(weight(item));
      const reason = body === undefined ? 'it could not be encoded' : this.#tooLarge(body);
      if (reason !== undefined) await this.#refused([{ item, reason }]);
      else this.#lanes[laneOf?.(event) ?? laneOfKey(event.orderKey, this.#lanes.length)]!.push(item);
    }
  }

  /** What cannot be prepared must not be sent: something may stand in it that was to be taken out. */
  #prepared(event: Event): { readonly event: Event; readonly isBroken: boolean } | undefined {
    try {
      const prepared = this.#options.prepare(event);
      return prepared && { event: prepared, isBroken: false };
    } catch (error) {
      this.#options.logger?.error({ err: error, destination: this.#options.name }, 'export: an event was not prepared');
      return { event, isBroken: true };
    }
  }

  #encoded(event: Event): Buffer | undefined {
    try {
      return this.#options.destination.encode(event);
    } catch (error) {
      // An encoder that throws is broken; the events behind this one must not wait for it.
      this.#options.logger?.error({ err: error, destination: this.#options.name }, 'export: an event was not encoded');
      return undefined;
    }
  }

  #tooLarge(body: Buffer): string | undefined {
    const { bytesMax, overheadBytes } = this.#options.destination.limits;
    if (body.length + overheadBytes <= bytesMax) return undefined;
    return `it has ${body.length} bytes, and a request at most ${bytesMax}`;
  }

  async #send(items: readonly Item<Event>[]): Promise<SendOutcome> {
    const { destination, clock, timeoutMs = limits.exportCallMsMax, name, logger } = this.#options;
    const call = new AbortController();
    const abort = (): void => call.abort();
    this.#ended.signal.addEventListener('abort', abort, { once: true });
    let isLate = false;
    const cancel = clock.timer(timeoutMs, () => {
      isLate = true;
      call.abort();
    });
    try {
      const outcome = await destination.send(items, call.signal);
      if (outcome.status !== 'retryable' || !isLate) return outcome;
      return { status: 'retryable', reason: `no answer within ${timeoutMs} ms: ${outcome.reason}` };
    } catch (error) {
      logger?.error({ err: error, destination: name }, 'export: a destination failed in a way that it should not');
      return { status: 'retryable', reason: error instanceof Error ? error.message : String(error) };
    } finally {
      cancel();
      this.#ended.signal.removeEventListener('abort', abort);
    }
  }

  #delivered(items: readonly Item<Event>[], answer: string, rejected: number): void {
    this.counts.delivered += items.length;
    this.counts.rejected += rejected;
    if (rejected > 0) this.health.rejected(answer, rejected);
    else this.health.delivered(answer);
    for (const { event } of items) this.#options.delivered?.(event);
    this.#settle(items);
  }

  /** A letter that is not on disk is none: a disk that refuses is asked again until the end. */
  async #refused(items: readonly { readonly item: Item<Event>; readonly reason: string }[]): Promise<boolean> {
    const { deadLetters, cursor, clock, logger, name } = this.#options;
    const time = new Date(clock.now()).toISOString();
    const letters = items.map(({ item: { event, record }, reason }) => ({
      id: event.id,
      ...subjectOf(event),
      position: record.position,
      reason: oneLine(reason),
      time,
    }));
    for (let attempt = 0; ; attempt++) {
      try {
        cursor.overflowed += await deadLetters.add(letters);
        break;
      } catch (error) {
        if (attempt === 0) logger?.error({ err: error, destination: name }, 'export: dead letters cannot be noted');
        await sleep(clock, limits.exportDiskRetryMs, this.#draining.signal);
        if (this.#draining.signal.aborted) return false;
      }
    }
    this.counts.refused += items.length;
    this.health.refused(items[0]!.reason, items.length);
    this.#settle(items.map(({ item }) => item));
    return true;
  }

  #settle(items: readonly Item<Event>[]): void {
    const { cursor } = this.#options;
    for (const item of items) {
      cursor.settle(item.record, item.event.id);
      this.#window.remove(weight(item));
    }
    cursor.changed();
  }
}

/** What a dead letter is of. */
function subjectOf(event: Deliverable): Pick<DeadLetter, 'kind' | 'of'> {
  const { kind } = event;
  if (kind === 'request') return { kind, of: event.signal };
  return { kind, of: kind === 'finding' ? event.finding.id : event.case.id };
}

/** Bytes that an item takes in memory, about: the event is no smaller than what was made of it. */
function weight({ body }: Item<Deliverable>): number {
  return 2 * body.length + 1024;
}
