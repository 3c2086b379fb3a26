import { hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeliveryFiles } from './export/delivery/files.ts';
import { decisionEvent } from './export/events.ts';
import type { Case } from './model/case.ts';
import type { Spool } from './spool/contract.ts';
import type { DecisionRange, readDecisions } from './store/decisions-reader.ts';
import { encodeCases } from './store/rows/cases.ts';

export interface CaseDecisionsOptions {
  readonly log: Pick<Spool, 'append'>;
  readonly files: DeliveryFiles;
  readonly spoolId: string;
  /** Rejects while ClickHouse cannot be asked. */
  readonly read: (range: DecisionRange) => ReturnType<typeof readDecisions>;
  readonly logger: { warn(fields: object, message: string): void };
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds between two looks; 10 seconds by default. */
  readonly pauseMs?: number;
}

export const decisionsFile = 'decisions.json';

/** Times are those of the machines on which people decide, whose clocks may be so far behind. */
const skewMicros = 600_000_000n;
const pauseDefaultMs = 10_000;
const graceMs = 500;

interface Place {
  /** Newest decision that was seen, microseconds since the epoch. */
  readonly newestMicros: bigint;
  /** Ids of the events of later decisions than `skewMicros` before it that are told. */
  readonly told: readonly string[];
}

/**
 * Tells other systems what people do about cases. They write that straight into ClickHouse, whether a collector runs or not; this looks there and
 * puts it into the stream of events, as a row of the case that says it. A decision is told at least once, under the same id.
 */
export class CaseDecisions {
  readonly #options: CaseDecisionsOptions;
  readonly #stopping = new AbortController();
  #place: Place | undefined;
  #running: Promise<void> = Promise.resolve();
  #isFailing = false;

  constructor(options: CaseDecisionsOptions) {
    this.#options = options;
  }

  /** Looks now and then until `stop`. */
  start(): void {
    this.#running = this.#run();
  }

  /** Waits a moment for what is under way: a ClickHouse that does not answer is left alone. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const late = new AbortController();
    const patience = sleep(graceMs, undefined, { signal: late.signal }).catch(() => undefined);
    await Promise.race([this.#running, patience]);
    late.abort();
  }

  async #run(): Promise<void> {
    const { pauseMs = pauseDefaultMs, logger } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.look();
        this.#isFailing = false;
      } catch (error) {
        if (!this.#isFailing) logger.warn({ err: error }, 'export: decisions about cases cannot be read yet');
        this.#isFailing = true;
      }
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Tells what is new. Rejects when ClickHouse, spool or disk refuse: then nothing is forgotten. */
  async look(): Promise<void> {
    const { read, spoolId } = this.#options;
    this.#place ??= await this.#remembered();
    let afterMicros = this.#place.newestMicros - skewMicros;
    for (let isFull = true; isFull && !this.#stopping.signal.aborted; ) {
      const found = await read({ spoolId, afterMicros });
      const place: Place = this.#place;
      const fresh = found.decided.filter((row) => !place.told.includes(idOf(row)));
      if (fresh.length > 0) await this.#append(fresh);
      if (fresh.length > 0 || found.decidedMicros > place.newestMicros)
        await this.#remember(found.decidedMicros, fresh);
      ({ isFull, decidedMicros: afterMicros } = found);
    }
  }

  async #append(rows: readonly Case[]): Promise<void> {
    const digest = hash('sha256', rows.map(idOf).join(' '), 'buffer').subarray(0, 16);
    const outcome = await this.#options.log.append({ digest, rows: [encodeCases(rows)] });
    if (outcome.status !== 'ok') throw new Error(outcome.reason);
  }

  /** What was decided before the first look is old news. */
  async #remembered(): Promise<Place> {
    const content = await this.#options.files.read(decisionsFile);
    if (content === undefined) return { newestMicros: BigInt(this.#options.now()) * 1000n + skewMicros, told: [] };
    const { newest, told } = JSON.parse(content.toString()) as { newest: string; told: string[] };
    return { newestMicros: BigInt(newest), told };
  }

  async #remember(decidedMicros: bigint, fresh: readonly Case[]): Promise<void> {
    const { newestMicros, told } = this.#place!;
    const newest = decidedMicros > newestMicros ? decidedMicros : newestMicros;
    const kept = [...told, ...fresh.map(idOf)].filter((id) => microsOf(id) > newest - skewMicros);
    await this.#options.files.replace(
      decisionsFile,
      Buffer.from(JSON.stringify({ newest: String(newest), told: kept })),
    );
    this.#place = { newestMicros: newest, told: kept };
  }
}

function microsOf(id: string): bigint {
  return BigInt(id.slice(id.lastIndexOf('-') + 1));
}

function idOf(row: Case): string {
  return decisionEvent(row, row.decision!, 0).id;
}
