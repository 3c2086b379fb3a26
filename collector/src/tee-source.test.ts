import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import type { EncodedEvent, SendOutcome } from './export/contract.ts';
import { CursorKeeper } from './export/delivery/cursor-keeper.ts';
import { DeadLetters, deadLetterFile, parseDeadLetters } from './export/delivery/dead-letters.ts';
import { Delivery } from './export/delivery/delivery.ts';
import { type Disk, memoryFiles } from './export/testing/memory-files.ts';
import { TestClock } from './export/testing/test-clock.ts';
import type { TeeRequest } from './model/tee-request.ts';
import { type Incoming, Originals } from './originals.ts';
import type { OriginalTail, Spool } from './spool/contract.ts';
import { openSpool } from './spool/spool.ts';
import { segmentAfter } from './spool/tail.ts';
import { VolatileFiles } from './spool/testing/volatile-files.ts';
import { TeeSource } from './tee-source.ts';

// Whatever receivers answer, whenever processes and machines die, and however old what is waiting becomes: an acknowledged request
// arrives, byte for byte.

const answers = [
  'taken',
  'taken',
  'taken',
  'lost',
  'later',
  'refused',
  'too_large',
  'misconfigured',
  'throws',
] as const;

type Step =
  | { readonly kind: 'send'; readonly sizes: readonly number[] }
  | { readonly kind: 'answer'; readonly answers: readonly (typeof answers)[number][] }
  | { readonly kind: 'ship' | 'repeat' }
  | { readonly kind: 'deliver'; readonly steps: number }
  | { readonly kind: 'crash'; readonly after: number; readonly isPowerLoss: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('send' as const),
      sizes: fc.array(fc.constantFrom(0, 10, 200, 900), { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('answer' as const),
      answers: fc.array(fc.constantFrom(...answers), { maxLength: 5 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('deliver' as const), steps: fc.nat(30) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('ship' as const, 'repeat' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('crash' as const), after: fc.nat(12), isPowerLoss: fc.boolean() }),
  },
);

const graceMs = 1_000;

/** Senders, a spool on a machine that dies, a store, and a receiver with a mind of its own. */
class World {
  readonly files = new VolatileFiles(() => this.clock.now());
  readonly disk: Disk = new Map();
  readonly received = new Set<string>();
  readonly acknowledged: string[] = [];
  readonly faults: string[] = [];
  readonly clock = new TestClock();
  readonly #originals = new Originals(['traces', 'logs']);
  readonly #answers: (typeof answers)[number][] = [];
  readonly #sent: Incoming[] = [];
  #run = 0;
  #spool!: Spool;
  #delivery!: Delivery<TeeRequest>;
  #cursor!: CursorKeeper;
  #tail!: OriginalTail;
  readonly #ids = new Map<string, string>();
  async run(step: Step): Promise<void> {
    if (step.kind === 'send') for (const size of step.sizes) this.#send(size);
    else if (step.kind === 'answer') this.#answers.push(...step.answers);
    else if (step.kind === 'repeat') this.#repeat();
    else if (step.kind === 'ship') await this.#ship();
    else if (step.kind === 'deliver') for (let steps = 0; steps < step.steps; steps++) await this.clock.step();
    else if (step.kind === 'crash') return this.#crash(step.after, step.isPowerLoss);
    await settled();
    if (this.files.isDead) await this.#crash(0, false);
  }

  async start(): Promise<void> {
    const lock = async () => ({ isHeld: async () => true, release: async () => undefined });
    const options = {
      ...{
        directory: '/spool',
        segmentBytesMax: 2_000,
        segmentAgeMaxMs: 1e9,
        bytesMax: 1e9,
        pendingBytesMax: 1e9,
        graceMs,
      },
      hold: { bytesMax: 1e9, ageMaxMs: 1e12 },
      now: () => this.clock.now(),
    };
    const run = ++this.#run;
    const files = memoryFiles(this.disk);
    this.#spool = await openSpool(options, { files: this.files.mount(), lock });
    this.#tail = this.#spool.originals();
    const source = new TeeSource(this.#tail);
    const written = (position: number) => this.#spool.holdFrom(segmentAfter(position));
    const { clock } = this;
    this.#cursor = await CursorKeeper.open({ name: 'tee', files, head: source.head, from: 'now', clock, written });
    const deadLetters = await DeadLetters.open(files, { mayCompact: true });
    this.#delivery = new Delivery<TeeRequest>({
      ...{ name: 'tee', source, cursor: this.#cursor, deadLetters, clock, lanes: 2, timeoutMs: 5_000 },
      batch: { eventsMax: 3, bytesMax: 1_000, lingerMs: 20 },
      window: { eventsMax: 8, bytesMax: 10_000 },
      prepare: (request) => request,
      destination: {
        limits: { eventsMax: 3, bytesMax: 100_000, overheadBytes: 0 },
        encode: ({ bytes }) => bytes,
        mayJoin: (one, other) => one.signal === other.signal && one.encoding === other.encoding,
        send: (batch) => (run === this.#run ? this.#answer(batch) : new Promise(() => undefined)),
        close: async () => undefined,
      },
    });
    void this.#delivery.run();
  }

  /** All is sent, nobody dies any more, and the receiver takes what comes. */
  async end(): Promise<void> {
    this.#answers.length = 0;
    for (let steps = 0; !this.#isDone() && steps < 20_000; steps++) await this.clock.step();
    assert.ok(this.#isDone(), 'it comes to an end');
    const letters = parseDeadLetters(this.disk.get(deadLetterFile) ?? Buffer.alloc(0)).letters;
    const dead = new Set(letters.map(({ id }) => id));
    assert.deepEqual(this.faults, []);
    assert.equal(this.#delivery.counts.lost, 0);
    const missing = this.acknowledged.filter((key) => !this.received.has(key) && !dead.has(this.#idOf(key)));
    assert.deepEqual(missing, []);
    await this.#delivery.stop(0);
    this.clock.stop();
  }

  #idOf(key: string): string {
    return this.#ids.get(key) ?? '';
  }

  #isDone(): boolean {
    return this.#cursor.ledger.position >= this.#tail.newest;
  }

  #send(size: number): void {
    const number = this.#sent.length;
    const request: Incoming = {
      signal: number % 3 === 0 ? 'logs' : 'traces',
      encoding: number % 4 === 0 ? 'json' : 'protobuf',
      bytes: Buffer.from(`${number} ${'x'.repeat(size)}`),
      hops: 0,
    };
    this.#sent.push(request);
    this.#append(request);
  }

  #repeat(): void {
    const request = this.#sent.at(-1);
    if (request !== undefined) this.#append(request);
  }

  #append(request: Incoming): void {
    const { bytes } = request;
    const original = this.#originals.of(request, { bytes, count: 1, start: () => 0 }, true);
    const digest = createHash('sha256').update(bytes).digest().subarray(0, 16);
    const rows = [{ table: 'otel_traces', bytes: Buffer.from('row'), count: 1 } as const];
    void this.#spool.append({ digest, rows, original }).then(({ status }) => {
      if (status === 'ok') this.acknowledged.push(keyOf(request));
    });
  }

  async #ship(): Promise<void> {
    void this.#spool.seal();
    await settled();
    for (;;) {
      const stop = new AbortController();
      const next = this.#spool.next(stop.signal);
      await settled();
      stop.abort();
      const segment = await Promise.race([next, settled().then(() => undefined)]);
      if (segment === undefined) break;
      void this.#spool.sent(segment);
      await settled();
    }
    for (let ms = 0; ms < 3 * graceMs; ms += 500) this.clock.timer(ms, () => undefined);
    for (let steps = 0; steps < 8; steps++) await this.clock.step();
  }

  async #crash(after: number, isPowerLoss: boolean): Promise<void> {
    if (after > 0) this.files.dieAfter(after);
    this.#send(50);
    await settled();
    this.#run++;
    if (isPowerLoss) this.files.powerLoss(() => 0.5);
    else this.files.kill();
    await this.start();
  }

  async #answer(batch: readonly EncodedEvent<TeeRequest>[]): Promise<SendOutcome> {
    const kind = this.#answers.shift() ?? 'taken';
    const [first] = batch;
    for (const { event, body } of batch) {
      if (event.signal !== first!.event.signal || event.encoding !== first!.event.encoding)
        this.faults.push('requests of several kinds in one');
      this.#ids.set(keyOf({ ...event, bytes: body }), event.id);
      if (kind === 'taken' || kind === 'lost') this.received.add(keyOf({ ...event, bytes: body }));
    }
    await turn();
    const reason = kind;
    if (kind === 'throws') throw new Error('broken');
    if (kind === 'taken') return { status: 'delivered', answer: 'ok' };
    if (kind === 'lost' || kind === 'later') return { status: 'retryable', reason };
    return { status: kind, reason };
  }
}

function keyOf({ signal, encoding, bytes }: Pick<TeeRequest, 'signal' | 'encoding' | 'bytes'>): string {
  return `${signal} ${encoding} ${bytes.toString('latin1')}`;
}

async function settled(): Promise<void> {
  for (let turns = 0; turns < 40; turns++) await turn();
}

/** Dies before anything is written. */
function crash(after: number): Step {
  return { kind: 'crash', after, isPowerLoss: false };
}

test('an acknowledged request arrives, byte for byte, or is noted as one that the receiver will never take', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const world = new World();
      await world.start();
      for (const each of steps) await world.run(each);
      await world.end();
    }),
    {
      numRuns: 150,
      examples: [[[crash(1), crash(0), { kind: 'send', sizes: [10] }]]],
    },
  );
});
