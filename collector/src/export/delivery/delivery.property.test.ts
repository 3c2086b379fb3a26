import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { limits } from '../../model/limits.ts';
import type { EncodedEvent, SendOutcome } from '../contract.ts';
import { findingEvent } from '../testing/events.ts';
import { type Disk, memoryFiles } from '../testing/memory-files.ts';
import { MemoryEventSource } from '../testing/memory-source.ts';
import { TestClock } from '../testing/test-clock.ts';
import { sleep } from './clock.ts';
import { cursorFile, decodeCursor } from './cursor.ts';
import { CursorKeeper } from './cursor-keeper.ts';
import { DeadLetters, deadLetterFile, parseDeadLetters } from './dead-letters.ts';
import { Delivery } from './delivery.ts';

// Any sequence of answers, slow ones and kills among them: what must hold of everything that the receiver saw.

interface Answer {
  readonly kind:
    | 'delivered'
    | 'partial'
    | 'retryable'
    | 'lost_answer'
    | 'too_large'
    | 'refused'
    | 'misconfigured'
    | 'throws';
  readonly ms: number;
  readonly retryAfterMs: number;
  /** Bits: which events of the batch are refused, and which are asked for again. */
  readonly refused: number;
  readonly again: number;
}

interface Plan {
  /** For each record its events' order keys, and how many positions it is behind the one before. */
  readonly records: readonly { readonly keys: readonly number[]; readonly gap: number }[];
  readonly answers: readonly Answer[];
  /** Steps after which the process is killed, or stopped in good order. */
  readonly ends: readonly { readonly steps: number; readonly kill: boolean }[];
  readonly lanes: number;
  readonly batchEvents: number;
  readonly windowEvents: number;
  /** Whether batches are cut by what their events are about. */
  readonly isParted: boolean;
  readonly random: number;
}

const timeoutMs = 5_000;
const fileMs = 3;
const overheadBytes = 7;

const answer = fc.record<Answer>({
  kind: fc.constantFrom(
    'delivered',
    'delivered',
    'partial',
    'partial',
    'retryable',
    'lost_answer',
    'too_large',
    'refused',
    'misconfigured',
    'throws',
  ),
  ms: fc.constantFrom(0, 1, 100, 3_000, 9_000),
  retryAfterMs: fc.constantFrom(0, 0, 2_000, 10_000_000),
  refused: fc.nat(0xff),
  again: fc.nat(0xff),
});

const plan = fc.record<Plan>({
  records: fc.array(fc.record({ keys: fc.array(fc.nat(3), { maxLength: 6 }), gap: fc.integer({ min: 1, max: 3 }) }), {
    minLength: 1,
    maxLength: 12,
  }),
  answers: fc.array(answer, { maxLength: 25 }),
  ends: fc.array(fc.record({ steps: fc.nat(60), kill: fc.boolean() }), { maxLength: 4 }),
  lanes: fc.integer({ min: 1, max: 4 }),
  batchEvents: fc.integer({ min: 1, max: 8 }),
  windowEvents: fc.constantFrom(2, 5, 100),
  isParted: fc.boolean(),
  random: fc.double({ min: 0, max: 0.999, noNaN: true }),
});

/** What is known of one event. */
interface Fate {
  readonly key: string;
  readonly place: number;
  /** Number of its last receipt in all; -1 before. */
  received: number;
  /** When the receiver's word settled it in the run that is now; undefined before. */
  confirmedMs: number | undefined;
  /** On disk as settled when a run ended. */
  isDurable: boolean;
}

class World {
  readonly disk: Disk = new Map();
  readonly source = new MemoryEventSource(3);
  readonly fates = new Map<string, Fate>();
  readonly #plan: Plan;
  readonly #answers: Answer[];
  /** What must not be and was seen where a throw would only be one more failed call. */
  readonly #faults: string[] = [];
  #receipts = 0;
  #run = 0;
  clock = new TestClock();

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#answers = [...plan.answers];
    let number = 0;
    for (const { keys, gap } of plan.records) {
      const events = keys.map((key) => findingEvent(number++, `key${key}`));
      for (const { id, orderKey } of events) {
        const fate = { key: orderKey, place: this.fates.size, received: -1, confirmedMs: undefined, isDurable: false };
        this.fates.set(id, fate);
      }
      this.source.add(events, this.source.head + gap);
    }
  }

  /** One process: it ends after so many steps, or when all is settled. */
  async live(steps: number, kill: boolean): Promise<void> {
    const { lanes, batchEvents, windowEvents, isParted, random } = this.#plan;
    const run = ++this.#run;
    const clock = new TestClock(() => random);
    this.clock = clock;
    for (const fate of this.fates.values()) fate.confirmedMs = undefined;
    const never = new AbortController().signal;
    const files = memoryFiles(this.disk, () => sleep(clock, fileMs, never));
    const underWay = new Set<string>();
    let calls = 0;
    const opening = Promise.all([
      CursorKeeper.open({ name: 'test', files, head: this.source.head, from: 'oldest', clock }),
      DeadLetters.open(files, { mayCompact: true }),
    ]);
    let opened: Awaited<typeof opening> | undefined;
    void opening.then((both) => {
      opened = both;
    });
    await clock.until(() => opened !== undefined);
    const [cursor, deadLetters] = opened!;
    const delivery: Delivery = new Delivery({
      ...{ name: 'test', source: this.source, cursor, deadLetters, lanes, timeoutMs, clock },
      batch: { eventsMax: batchEvents, bytesMax: 4_000, lingerMs: 50 },
      window: { eventsMax: windowEvents, bytesMax: 1_000_000 },
      prepare: (event) => event,
      destination: {
        limits: {
          ...{ eventsMax: 6, bytesMax: 3_000, overheadBytes },
          ...(isParted && { partitionOf: ({ id }) => this.#partOf(id) }),
        },
        encode: (event) => Buffer.from(event.id.padEnd(500)),
        close: async () => undefined,
        send: async (batch, signal) => {
          // After a kill nothing of this process happens any more.
          if (run !== this.#run) return new Promise(() => undefined);
          calls++;
          this.#check(calls <= lanes, `${calls} calls at once`);
          this.#check(batch.length >= 1 && batch.length <= Math.min(6, batchEvents), `a batch of ${batch.length}`);
          this.#check(batch.reduce((sum, { body }) => sum + body.length + overheadBytes, 0) <= 3_000, 'too many bytes');
          this.#check(delivery.waiting.events <= windowEvents, `${delivery.waiting.events} events in memory`);
          const parts = new Set(batch.map(({ event }) => this.#partOf(event.id)));
          this.#check(!isParted || parts.size === 1, 'parts in one batch');
          const keys = new Set(batch.map(({ event }) => event.orderKey));
          for (const key of keys) this.#check(!underWay.has(key), 'two calls at once for one key');
          for (const key of keys) underWay.add(key);
          try {
            return await this.#answer(batch, signal, run);
          } finally {
            calls--;
            for (const key of keys) underWay.delete(key);
          }
        },
      },
    });
    void delivery.run();
    const isDone = () => this.#isSettled(cursor);
    for (let step = 0; step < steps && !isDone(); step++) await clock.step();
    if (kill) this.#run++;
    else {
      let isStopped = false;
      void delivery.stop(2_000).then(() => {
        isStopped = true;
      });
      await clock.until(() => isStopped);
    }
    this.#checkDurable(kill);
    clock.stop();
  }

  async #answer(batch: readonly EncodedEvent[], signal: AbortSignal, run: number): Promise<SendOutcome> {
    const { clock } = this;
    const answer = this.#answers.shift() ?? { kind: 'delivered', ms: 1, retryAfterMs: 0, refused: 0, again: 0 };
    const bits = (mask: number) => batch.flatMap((_, index) => ((mask >> index) & 1 ? [index] : []));
    const refused = answer.kind === 'partial' ? bits(answer.refused) : [];
    const again = answer.kind === 'partial' ? bits(answer.again).filter((index) => !refused.includes(index)) : [];
    if (answer.kind === 'lost_answer') this.#receive(batch, [], []);
    await sleep(clock, answer.ms, signal);
    if (run !== this.#run) return new Promise(() => undefined);
    if (signal.aborted) return { status: 'retryable', reason: 'aborted' };
    const reason = `${answer.kind} it is`;
    switch (answer.kind) {
      case 'throws':
        throw new Error('broken');
      case 'retryable':
      case 'lost_answer':
        return { status: 'retryable', reason, retryAfterMs: answer.retryAfterMs };
      case 'too_large':
      case 'refused':
      case 'misconfigured':
        return { status: answer.kind, reason };
      default: {
        this.#receive(batch, refused, again);
        this.#confirm(batch, refused, again);
        const retryAfterMs = answer.retryAfterMs;
        return {
          status: 'delivered',
          answer: 'ok',
          again,
          retryAfterMs,
          refused: refused.map((index) => ({ index, reason })),
        };
      }
    }
  }

  #receive(batch: readonly EncodedEvent[], refused: readonly number[], again: readonly number[]): void {
    for (const [index, { event }] of batch.entries()) {
      const fate = this.fates.get(event.id)!;
      this.#check(fate.confirmedMs === undefined, 'sent again although the receiver had confirmed it');
      this.#check(!fate.isDurable, 'sent again although it was on disk that it is settled');
      if (!refused.includes(index) && !again.includes(index)) fate.received = this.#receipts++;
    }
  }

  /** The receiver's word counts for what is not behind something of the same key that it asks for again. */
  #confirm(batch: readonly EncodedEvent[], refused: readonly number[], again: readonly number[]): void {
    const open = new Set<string>();
    for (const [index, { event }] of batch.entries()) {
      if (again.includes(index)) open.add(event.orderKey);
      else if (!refused.includes(index) && !open.has(event.orderKey))
        this.fates.get(event.id)!.confirmedMs = this.clock.now();
    }
  }

  #partOf(id: string): string {
    return String(Math.floor(this.fates.get(id)!.place / 4));
  }

  #check(holds: boolean, otherwise: string): void {
    if (!holds) this.#faults.push(otherwise);
  }

  #isSettled({ ledger }: CursorKeeper): boolean {
    return ledger.position >= this.source.head;
  }

  #checkDurable(kill: boolean): void {
    const cursor = decodeCursor(this.disk.get(cursorFile)!);
    assert.ok(typeof cursor === 'object', String(cursor));
    const settled = new Set(cursor.ahead);
    const position = new Map<string, number>();
    let at = -1;
    const ids = [...this.fates.keys()];
    for (const { keys, gap } of this.#plan.records) {
      at += gap;
      for (const _ of keys) position.set(ids[position.size]!, at);
    }
    for (const [id, fate] of this.fates) {
      fate.isDurable = settled.has(id) || position.get(id)! <= cursor.position;
      if (fate.confirmedMs === undefined || fate.isDurable) continue;
      const ageMs = this.clock.now() - fate.confirmedMs;
      assert.ok(kill, 'confirmed, but not in the cursor after a stop');
      assert.ok(ageMs <= limits.exportCursorMs + 4 * fileMs, `confirmed ${ageMs} ms ago, but not in the cursor`);
    }
  }

  checkAll(): void {
    assert.deepEqual(this.#faults, []);
    const content = this.disk.get(deadLetterFile) ?? Buffer.alloc(0);
    const dead = new Map(parseDeadLetters(content).letters.map((letter) => [letter.id, letter]));
    const last = new Map<string, Fate>();
    for (const [id, fate] of this.fates) {
      const letter = dead.get(id);
      assert.ok(fate.received >= 0 || letter !== undefined, `${id} was neither delivered nor noted`);
      if (letter !== undefined) {
        assert.match(letter.reason, /^(partial|too_large|refused) it is$/);
        continue;
      }
      assert.ok((last.get(fate.key)?.received ?? -1) < fate.received, `${fate.key}: the newest is not the last`);
      last.set(fate.key, fate);
    }
  }
}

test('every event is delivered or noted, in order for its key, and only what nobody had confirmed comes twice', async () => {
  await fc.assert(
    fc.asyncProperty(plan, async (plan) => {
      const world = new World(plan);
      for (const { steps, kill } of plan.ends) await world.live(steps, kill);
      await world.live(10_000, false);
      world.checkAll();
    }),
    { numRuns: 300 },
  );
});
