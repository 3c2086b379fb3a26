import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import type { Signal } from '../../decode/json.ts';
import { type Casework, withCasework } from '../../detect/casework.ts';
import { createDetector } from '../../detect/engine.ts';
import type { loadRules } from '../../detect/load.ts';
import { createFieldTable } from '../../model/fields.ts';
import { TracePipeline } from '../../pipeline.ts';
import { createResends, resendParts } from '../../resends.ts';
import type { Spool } from '../../spool/contract.ts';
import { openSpool } from '../../spool/spool.ts';
import { VolatileFiles } from '../../spool/testing/volatile-files.ts';
import { CheckpointStore } from '../checkpoint-store.ts';
import { StateKeeper } from '../keeper.ts';
import { type OpenedState, openState } from '../open-state.ts';
import { readFindings, type StoredFinding } from './stored-findings.ts';

export interface WorldOptions {
  readonly rules: ReturnType<typeof loadRules>;
  readonly latenessMs: number;
  /** What a start does; a test of the test breaks it. */
  readonly open?: typeof openState;
  /** How many records of each signal are recognised when they come again in another batch; by default none. */
  readonly resentMax?: number;
}

/**
 * A collector without its sockets, on a machine that may die: the real pipeline, rules, spool and checkpoints, on files in
 * memory that forget what a dying process had not done. Senders send again until they are heard.
 */
export class World {
  nowMs = 1_900_000_000_000;
  readonly files = new VolatileFiles(() => this.nowMs);
  readonly #options: WorldOptions;
  readonly #unheard = new Set<Buffer>();
  #detector!: Casework;
  #pipeline!: TracePipeline;
  #spool!: Spool;
  #keeper!: StateKeeper;
  state!: OpenedState;
  damages = 0;

  constructor(options: WorldOptions) {
    this.#options = options;
  }

  get detector(): Casework {
    return this.#detector;
  }

  async start(): Promise<void> {
    let isUp = false;
    this.#start().then(() => {
      isUp = true;
    });
    await settled();
    assert.ok(isUp, 'it starts');
  }

  /** Sends requests at once; those that are not heard are sent again by `resend`. */
  async send(bodies: readonly Buffer[], withCheckpoint = false): Promise<void> {
    for (const body of bodies) this.#unheard.add(body);
    for (const body of bodies) this.#send(body);
    if (withCheckpoint) void this.#keeper.checkpoint();
    await this.#worked();
  }

  /** Sends spans again that somebody has heard already; nobody waits for the answer. */
  async repeat(body: Buffer): Promise<void> {
    this.#send(body);
    await this.#worked();
  }

  /** Sends requests at once, that nobody sends again; `heard` is called for those that are acknowledged. */
  async trySend(bodies: readonly Buffer[], heard: (index: number) => void, signal: Signal = 'traces'): Promise<void> {
    for (const [index, body] of bodies.entries()) {
      this.#pipeline.consume('protobuf', body, signal).then(({ status }) => {
        if (status === 'ok') heard(index);
      });
    }
    await this.#worked();
  }

  async resend(): Promise<void> {
    for (let attempt = 0; this.#unheard.size > 0; attempt++) {
      assert.ok(attempt < 10, 'senders that try again are heard');
      this.nowMs += 1000;
      for (const body of [...this.#unheard]) this.#send(body);
      await this.#worked();
    }
  }

  async settle(): Promise<void> {
    void this.#pipeline.settle();
    await this.#worked();
  }

  /** A whole one, unless the machine dies. */
  async checkpoint(): Promise<void> {
    let isOver = false;
    this.#keeper.checkpoint().then(() => {
      isOver = true;
    });
    for (let turns = 0; turns < turnsMax && !isOver && !this.files.isDead; turns++) await turn();
    await this.#worked();
  }

  /** Begins one, which goes on while other things happen. */
  beginCheckpoint(): void {
    void this.#keeper.checkpoint();
  }

  /** The store takes what is sealed, and old files go. */
  async ship(): Promise<void> {
    void this.#spool.seal();
    await this.#worked();
    const stop = new AbortController();
    for (;;) {
      let segment: Awaited<ReturnType<Spool['next']>>;
      this.#spool.next(stop.signal).then((next) => {
        segment = next;
      });
      await settled();
      if (!segment) break;
      const id = segment.id;
      segment.read('findings').then((buffers) => {
        if (!this.#shipped.has(id)) this.#shipped.set(id, Buffer.concat(buffers));
        return this.#spool.sent(segment!);
      });
      for (const table of ['otel_traces', 'otel_logs', 'otel_metrics_sum'] as const) {
        segment.read(table).then((buffers) => this.#shippedRows.set(`${table} ${id}`, Buffer.concat(buffers)));
      }
      await this.#worked();
    }
    stop.abort();
  }

  async crash(isPowerLoss: boolean): Promise<void> {
    if (isPowerLoss) this.files.powerLoss(() => 0.5);
    else this.files.kill();
    await this.start();
  }

  /** A crash after a checkpoint, which is damaged if there is one before it. */
  async damage(): Promise<void> {
    await this.checkpoint();
    this.files.kill();
    const files = this.files.mount();
    const names = (await files.list('/state')).map(({ name }) => name).filter((name) => name.endsWith('.state'));
    if (names.length > 1) {
      const file = await files.open(`/state/${names.sort().at(-1)}`);
      await file.write([Buffer.from('damaged')], 60);
      this.damages++;
    }
    await this.start();
  }

  /** @param msMax for its checkpoint; with 0 it goes without one */
  async stop(msMax?: number): Promise<void> {
    void this.#keeper.close(msMax);
    await this.#worked();
    await this.crash(false);
  }

  /** Everything decided and stored: what the store would show. */
  async findings(): Promise<Map<string, string>> {
    await this.resend();
    void this.#pipeline.flush();
    await this.#worked();
    await this.ship();
    const found = new Map<string, StoredFinding>();
    for (const bytes of this.#shipped.values()) readFindings(bytes, found);
    return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, { shown }]) => [id, shown]));
  }

  /** The rows of all spans, log records and sums that the store would have, in no order. */
  async rows(): Promise<Buffer> {
    await this.ship();
    return Buffer.concat([...this.#shippedRows.values()]);
  }

  readonly #shippedRows = new Map<string, Buffer>();
  /** As ClickHouse: of a segment that comes twice the first counts. */
  readonly #shipped = new Map<string, Buffer>();

  #send(body: Buffer): void {
    this.#pipeline.consume('protobuf', body).then(({ status }) => {
      if (status === 'ok') this.#unheard.delete(body);
    });
  }

  async #worked(): Promise<void> {
    await settled();
    if (this.files.isDead) await this.crash(false);
  }

  async #start(): Promise<void> {
    const { rules, latenessMs, open = openState } = this.#options;
    const files = this.files.mount();
    const fields = createFieldTable();
    const now = () => this.nowMs;
    const spool = await openSpool(
      {
        ...{
          directory: '/spool',
          segmentBytesMax: 4096,
          segmentAgeMaxMs: 1_000_000,
          bytesMax: 1 << 26,
          graceMs: 0,
          now,
        },
        ...{ pendingBytesMax: 1 << 24, keepFrom: 0 },
      },
      { files, lock: async () => ({ isHeld: async () => true, release: async () => undefined }) },
    );
    const allowedLatenessNanos = BigInt(latenessMs) * 1_000_000n;
    const options = { fields, allowedLatenessNanos, journal: true };
    const sessionWaitNanos = allowedLatenessNanos;
    const { resentMax } = this.#options;
    const most = resentMax ?? 0;
    const resends = createResends({ traces: most, logs: most, metrics: most });
    const parts = resendParts(resends);
    const detector = createDetector({ ...rules, ...options, sessionWaitNanos });
    this.#detector = withCasework(detector, { ...options, parts });
    this.state = await open(new CheckpointStore('/state', undefined, files), spool, this.#detector);
    const { journal, store, checkpoint } = this.state;
    const pipeline = new TracePipeline({
      fields,
      detector: this.#detector,
      log: spool,
      resends,
      retentionMs: 1e12,
      journal,
      now,
    });
    const storeJournal = () => pipeline.storeJournal();
    this.#keeper = new StateKeeper(
      {
        // Each item is a piece of its own, and the rest of the world has its turn after each.
        kept: { slices: () => pipeline.slices(1) },
        turnMs: 0,
        rest: () => turn(),
        journal,
        store,
        segments: spool,
        storeJournal,
        intervalMs: 1000,
        segmentBytesMax: 1 << 20,
        now,
      },
      checkpoint,
    );
    this.#pipeline = pipeline;
    this.#spool = spool;
  }
}

const turnsMax = 5000;

/** All work on files in memory is microtasks, which are done after a turn of the event loop. */
async function settled(): Promise<void> {
  for (let turns = 0; turns < 3; turns++) await turn();
}
