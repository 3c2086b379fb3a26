import type { ExportEvent } from '../../model/export-event.ts';
import type { BatchLimits, Deliverable, EncodedEvent, SendOutcome } from '../contract.ts';
import { misconfiguredDelayMs, retryDelayMs } from './backoff.ts';
import type { Circuit } from './circuit.ts';
import { type Clock, sleep } from './clock.ts';
import type { LedgerRecord } from './ledger.ts';
import { Wakeup } from './wakeup.ts';

/** An event on its way, and the record of the stream that it is of. */
export interface Item<Event extends Deliverable = ExportEvent> extends EncodedEvent<Event> {
  readonly record: LedgerRecord;
  /** When it was put into the lane. */
  readonly queuedMs: number;
  /** What all events of a batch have in common, see `BatchLimits.partitionOf`. */
  readonly part: string;
}

/** How lanes fill a request. */
export interface BatchOptions<Event extends Deliverable = ExportEvent> extends BatchLimits<Event> {
  readonly lingerMs: number;
}

export type Trouble = 'retrying' | 'misconfigured';

/** What the lanes of a destination share. */
export interface LaneHost<Event extends Deliverable = ExportEvent> {
  readonly clock: Clock;
  readonly circuit: Circuit;
  readonly batch: BatchOptions<Event>;
  /** Nothing more is read before something was settled, so nobody waits for company. */
  isFull(): boolean;
  /** Whether two events may go in one request. */
  mayJoin(one: Event, other: Event): boolean;
  /** Never rejects. */
  send(items: readonly Item<Event>[]): Promise<SendOutcome>;
  /** @param rejected records of them that the receiver did not take and does not want again. */
  delivered(items: readonly Item<Event>[], answer: string, rejected: number): void;
  /** Notes durably that events will never be taken. False when that was not possible before the end. */
  refused(items: readonly { readonly item: Item<Event>; readonly reason: string }[]): Promise<boolean>;
  /** A call failed, and there will be another one. */
  failed(lane: object, trouble: Trouble, reason: string, delayMs: number): void;
  /** Nothing of this lane waits because of a failure. */
  recovered(lane: object): void;
  /** Aborts when nothing more will be queued: lanes end when they are empty. */
  readonly closed: AbortSignal;
  /** Aborts when nothing is to be tried again: what is queued goes out at once, and a failure is the end. Also aborts `closed`. */
  readonly draining: AbortSignal;
  /** Aborts when it is over at once. */
  readonly ended: AbortSignal;
}

/** Failures of a batch after which it goes out in halves: a receiver may be too slow for all of it, or stumble over one event. */
const wholeAttemptsMax = 3;

/** Events of some order keys, one batch after the other: the next one goes when every event of the one before is settled. */
export class Lane<Event extends Deliverable = ExportEvent> {
  readonly #host: LaneHost<Event>;
  readonly #queue: Item<Event>[] = [];
  readonly #filled = new Wakeup();

  constructor(host: LaneHost<Event>) {
    this.#host = host;
  }

  push(item: Item<Event>): void {
    this.#queue.push(item);
    this.#filled.wake();
  }

  /** Looks anew whether what is queued is to wait. */
  hurry(): void {
    this.#filled.wake();
  }

  /** Delivers until the end. Never rejects. */
  async run(): Promise<void> {
    const { closed, ended } = this.#host;
    while (!ended.aborted) {
      if (this.#queue.length === 0) {
        if (closed.aborted) return;
        await this.#filled.wait(closed);
        continue;
      }
      const waitMs = this.#lingerMs();
      if (waitMs > 0) await this.#filled.wait(closed, { clock: this.#host.clock, ms: waitMs });
      else if (!(await this.#deliver(this.#cut()))) return;
    }
  }

  /** How long the next batch still waits for company. */
  #lingerMs(): number {
    const { batch, clock, closed } = this.#host;
    if (closed.aborted || this.#host.isFull()) return 0;
    if (this.#cutLength() < this.#queue.length || this.#queue.length >= batch.eventsMax) return 0;
    return this.#queue[0]!.queuedMs + batch.lingerMs - clock.now();
  }

  #cut(): Item<Event>[] {
    return this.#queue.splice(0, this.#cutLength());
  }

  /** How many of the queue make one batch; at least one. */
  #cutLength(): number {
    const { eventsMax, bytesMax, overheadBytes } = this.#host.batch;
    const first = this.#queue[0];
    let bytes = 0;
    const end = this.#queue.findIndex(({ event, body, part }, index) => {
      bytes += body.length + overheadBytes;
      if (first === undefined || index === 0) return false;
      if (bytes > bytesMax || index >= eventsMax) return true;
      return part !== first.part || !this.#host.mayJoin(first.event, event);
    });
    return end === -1 ? this.#queue.length : end;
  }

  /** Sends until every item is settled; false when the end came first. */
  async #deliver(items: Item<Event>[]): Promise<boolean> {
    const { circuit, ended } = this.#host;
    /** What is left, in order: batches that are sent one after the other. */
    const parts: Item<Event>[][] = [items];
    let attempt = 0;
    while (parts.length > 0) {
      const part = parts[0]!;
      const leave = await circuit.enter(ended);
      if (leave === undefined) return false;
      const outcome = await this.#host.send(part).finally(leave);
      if (outcome.status === 'delivered') {
        const again = await this.#settle(part, outcome);
        if (again === undefined) return false;
        if (again.length === 0) {
          attempt = 0;
          parts.shift();
          this.#succeeded();
          continue;
        }
        parts[0] = again;
      } else if (outcome.status === 'refused' || outcome.status === 'too_large') {
        // The receiver answers, so it is there.
        this.#succeeded();
        attempt = 0;
        if (part.length > 1) parts.splice(0, 1, ...halves(part));
        else if (await this.#host.refused([{ item: part[0]!, reason: outcome.reason }])) parts.shift();
        else return false;
        continue;
      } else if (part.length > 1 && attempt >= wholeAttemptsMax && this.#host.batch.partitionOf === undefined) {
        parts.splice(0, 1, ...halves(part));
      }
      attempt++;
      if (!(await this.#pause(outcome, attempt))) return false;
    }
    return true;
  }

  #succeeded(): void {
    this.#host.circuit.succeeded();
    this.#host.recovered(this);
  }

  /** Waits as long as it takes until a further attempt makes sense; false when there is none. */
  async #pause(outcome: SendOutcome, attempt: number): Promise<boolean> {
    const { clock, circuit, draining } = this.#host;
    const trouble: Trouble = outcome.status === 'misconfigured' ? 'misconfigured' : 'retrying';
    const retryAfterMs = 'retryAfterMs' in outcome ? (outcome.retryAfterMs ?? 0) : 0;
    const delayMs =
      trouble === 'misconfigured'
        ? misconfiguredDelayMs(attempt, clock.random())
        : retryDelayMs(attempt, clock.random(), retryAfterMs);
    const reason = outcome.status === 'delivered' ? `some events again: ${outcome.answer}` : outcome.reason;
    circuit.failed(delayMs, trouble === 'misconfigured' || retryAfterMs > 0);
    this.#host.failed(this, trouble, reason, delayMs);
    await sleep(clock, delayMs, draining);
    return !draining.aborted;
  }

  /** Settles what is, and gives what must be sent again; undefined when refused ones could not be noted. */
  async #settle(
    part: readonly Item<Event>[],
    outcome: Extract<SendOutcome, { status: 'delivered' }>,
  ): Promise<Item<Event>[] | undefined> {
    const reasons = new Map(outcome.refused?.map(({ index, reason }) => [index, reason]));
    const again = behindUnconfirmed(part, new Set(outcome.again), reasons);
    const refused = part.flatMap((item, index) => {
      const reason = reasons.get(index);
      return reason === undefined ? [] : [{ item, reason }];
    });
    if (refused.length > 0 && !(await this.#host.refused(refused))) return undefined;
    const delivered = part.filter((_, index) => !again.has(index) && !reasons.has(index));
    if (delivered.length > 0) this.#host.delivered(delivered, outcome.answer, outcome.rejected ?? 0);
    return part.filter((_, index) => again.has(index));
  }
}

/**
 * Places of what is sent again: what the receiver asks for, and what it took of the same key behind that. Otherwise an older state
 * would be the last one that it gets.
 */
function behindUnconfirmed(
  part: readonly Item<Deliverable>[],
  asked: ReadonlySet<number>,
  refused: ReadonlyMap<number, string>,
): ReadonlySet<number> {
  const again = new Set<number>();
  if (asked.size === 0) return again;
  const keys = new Set<string>();
  part.forEach(({ event }, index) => {
    if (refused.has(index) || !(asked.has(index) || keys.has(event.orderKey))) return;
    again.add(index);
    keys.add(event.orderKey);
  });
  return again;
}

function halves<Each>(part: readonly Each[]): [Each[], Each[]] {
  const middle = Math.ceil(part.length / 2);
  return [part.slice(0, middle), part.slice(middle)];
}
