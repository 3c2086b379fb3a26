import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import type { SealedSegment } from '../model/spool.ts';
import type { AppendOutcome, Spool } from './contract.ts';
import { openSpool } from './spool.ts';
import { numberedBatch, numbersIn } from './testing/records.ts';
import { type Mishap, VolatileFiles } from './testing/volatile-files.ts';

/** Something that happens to a spool, its senders, its store or its machine. */
type Step =
  | { readonly kind: 'append'; readonly paddings: readonly number[] }
  | { readonly kind: 'resend' | 'seal' | 'ship' | 'insertOnly' }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'mishap'; readonly mishap: Mishap }
  | { readonly kind: 'crash'; readonly after: number; readonly isPowerLoss: boolean };

const mishap = fc.record({
  operation: fc.constantFrom(
    ...(['create', 'write', 'write', 'sync', 'sync', 'truncate', 'rename', 'remove', 'syncDirectory'] as const),
  ),
  code: fc.constantFrom('ENOSPC' as const, 'EIO' as const),
  isHalf: fc.boolean(),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('append' as const), paddings: paddings() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('resend', 'seal', 'ship', 'insertOnly') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(3000) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('mishap' as const), mishap }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('crash' as const), after: fc.nat(12), isPowerLoss: fc.boolean() }),
  },
);

function paddings(): fc.Arbitrary<number[]> {
  return fc.array(fc.nat(120), { minLength: 1, maxLength: 4 });
}

/** Senders that try again, a store that knows what it has, and a machine that dies. */
class World {
  now = 1_000_000;
  readonly #chance: () => number;
  readonly #files = new VolatileFiles(() => this.now);
  #spool: Spool | undefined;
  #next = 0;
  readonly #paddings = new Map<number, number>();
  readonly unacknowledged = new Set<number>();
  /** Acknowledged at the first try: these must stand in the order in which they were appended. */
  readonly #firstTry = new Set<number>();
  /** As ClickHouse: the first insert with an id counts, all later ones are ignored. */
  readonly #store = new Map<string, number[]>();

  constructor(chance: () => number) {
    this.#chance = chance;
  }

  async run(step: Step): Promise<void> {
    if (step.kind === 'append') this.append(step.paddings);
    else if (step.kind === 'resend') this.resend();
    else if (step.kind === 'seal') void this.#spool?.seal();
    else if (step.kind === 'ship') await this.ship(true);
    else if (step.kind === 'insertOnly') await this.ship(false);
    else if (step.kind === 'wait') this.now += step.ms;
    else if (step.kind === 'mishap') this.#files.mishaps.push(step.mishap);
    else if (step.kind === 'crash') return this.crash(step.after, step.isPowerLoss);
    await settle();
    if (this.#files.isDead) await this.restart(false);
  }

  async open(): Promise<void> {
    const options = {
      directory: '/spool',
      segmentBytesMax: 600,
      segmentAgeMaxMs: 1_000_000,
      bytesMax: 1_000_000,
      graceMs: 1_000_000,
      pendingBytesMax: 100_000,
      now: () => this.now,
    };
    const lock = async () => ({ isHeld: async () => true, release: async () => undefined });
    const opened = openSpool(options, { files: this.#files.mount(), lock });
    opened.then((spool) => {
      this.#spool = spool;
    });
    await settle();
    assert.ok(this.#spool, 'the spool opens');
  }

  append(list: readonly number[]): void {
    for (const padding of list) {
      const number = this.#next++;
      this.#paddings.set(number, padding);
      this.unacknowledged.add(number);
      this.#send(number, true);
    }
  }

  /** Senders wait as long as they were told to. */
  resend(): void {
    this.now += 1000;
    for (const number of [...this.unacknowledged]) this.#send(number, false);
  }

  #send(number: number, isFirst: boolean): void {
    const sent = this.#spool!.append(numberedBatch(number, this.#paddings.get(number)));
    sent.then((outcome: AppendOutcome) => {
      if (outcome.status !== 'ok') return;
      this.unacknowledged.delete(number);
      if (isFirst) this.#firstTry.add(number);
    });
  }

  async ship(isTold: boolean): Promise<boolean> {
    const spool = this.#spool!;
    let segment: SealedSegment | undefined;
    const stop = new AbortController();
    spool.next(stop.signal).then((next) => {
      segment = next;
    });
    await settle();
    stop.abort();
    if (!segment) return false;
    const { id } = segment;
    numbersIn(segment).then((numbers) => {
      if (!this.#store.has(id)) this.#store.set(id, numbers);
      if (isTold) void spool.sent(segment!);
    });
    await settle();
    return true;
  }

  async crash(after: number, isPowerLoss: boolean): Promise<void> {
    this.#files.dieAfter(after);
    this.append([1, 2]);
    await this.ship(true);
    this.append([3]);
    await settle();
    await this.restart(isPowerLoss);
  }

  async restart(isPowerLoss: boolean): Promise<void> {
    if (isPowerLoss) this.#files.powerLoss(this.#chance);
    else this.#files.kill();
    this.#spool = undefined;
    await this.open();
  }

  async finish(): Promise<void> {
    await this.restart(true);
    for (let attempt = 0; this.unacknowledged.size > 0; attempt++) {
      assert.ok(attempt < 5, 'senders that try again are heard');
      this.resend();
      await settle();
    }
    await this.restart(true);
    void this.#spool!.seal();
    await settle();
    while (await this.ship(true));
    const stored = [...this.#store.values()].flat();
    assert.deepEqual(
      stored.toSorted((a, b) => a - b),
      Array.from({ length: this.#next }, (_, number) => number),
      'every batch is stored exactly once',
    );
    const ordered = stored.filter((number) => this.#firstTry.has(number));
    assert.deepEqual(
      ordered,
      ordered.toSorted((a, b) => a - b),
      'what was acknowledged at once keeps its order',
    );
  }
}

/** All work of the spool on files in memory is microtasks, which are done after a turn of the event loop. */
async function settle(): Promise<void> {
  await turn();
  await turn();
}

function chances(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Rare ways to lose or double something, each found once by chance; the numbers decide what the power loss leaves. */
const found: readonly Step[][] = [
  // Recovered from the page cache, inserted, and then the name of the file is lost.
  [{ kind: 'crash', after: 2, isPowerLoss: false }, { kind: 'insertOnly' }],
  // Written but refused, acknowledged in another segment, and then both files are there.
  [
    { kind: 'append', paddings: [1] },
    { kind: 'mishap', mishap: { operation: 'sync', code: 'EIO' } },
    { kind: 'append', paddings: [2] },
    { kind: 'resend' },
    { kind: 'crash', after: 0, isPowerLoss: false },
    { kind: 'ship' },
  ],
  // On disk although its fsync failed, and the fsync after the cut failed as well.
  [
    { kind: 'append', paddings: [1] },
    { kind: 'mishap', mishap: { operation: 'sync', code: 'EIO', isHalf: true } },
    { kind: 'mishap', mishap: { operation: 'sync', code: 'EIO' } },
    { kind: 'append', paddings: [2] },
    { kind: 'resend' },
    { kind: 'crash', after: 0, isPowerLoss: true },
  ],
  // A damaged record in a sent segment hides the digests behind it.
  [
    { kind: 'append', paddings: [0] },
    { kind: 'crash', after: 1, isPowerLoss: true },
    { kind: 'crash', after: 6, isPowerLoss: false },
  ],
];

test('whatever fails and whenever it dies: acknowledged batches are stored exactly once and in order', async () => {
  const examples = found.flatMap((steps) =>
    Array.from({ length: 12 }, (_, seed): [Step[], number] => [steps, seed * 9973]),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.nat(), async (steps, seed) => {
      const world = new World(chances(seed));
      await world.open();
      for (const next of steps) await world.run(next);
      await world.finish();
    }),
    { examples, numRuns: Number(process.env.SPANWARDEN_PROPERTY_RUNS ?? 600) },
  );
});
