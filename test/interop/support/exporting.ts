import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../../../collector/src/config/load.ts';
import { type Exporter, openExporter } from '../../../collector/src/export/exporter.ts';
import { findingEvent } from '../../../collector/src/export/testing/events.ts';
import { MemoryEventSource } from '../../../collector/src/export/testing/memory-source.ts';
import type { FindingEvent } from '../../../collector/src/model/export-event.ts';
import { eventually } from '../../support/collector-process.ts';

/** Something that ends: a test, or several together. */
export interface Scope {
  after(clean: () => void | Promise<void>): void;
}

/** What several tests share, set up in a hook before them, and cleaned up in one after them. */
export class SharedScope implements Scope {
  readonly #cleaning: (() => void | Promise<void>)[] = [];

  after(clean: () => void | Promise<void>): void {
    this.#cleaning.push(clean);
  }

  /** Cleans up, the newest first. */
  async end(): Promise<void> {
    for (const clean of this.#cleaning.reverse()) await clean();
  }
}

/** A folder that is gone afterwards. @param last what still writes to it, to be ended before. */
export function temporaryFolder(scope: Scope, prefix: string, last: () => Promise<void> = async () => {}): string {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  scope.after(async () => {
    await last();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  return folder;
}

/** Findings of some cases, in the order in which they were found. */
export function findingsOf(count: number, cases: number): FindingEvent[] {
  return Array.from({ length: count }, (_, number) => findingEvent(number, `case-${number % cases}`));
}

/** The delivery of the collector with one destination, and a stream that a test feeds. */
export class Exporting {
  readonly #exporter: Exporter;
  readonly #source: MemoryEventSource;
  #added = 0;

  private constructor(exporter: Exporter, source: MemoryEventSource) {
    this.#exporter = exporter;
    this.#source = source;
  }

  /** @param destination its settings, as they stand in the config. */
  static async start(scope: Scope, destination: object): Promise<Exporting> {
    const tried = { start: 'oldest', batch: { linger_ms: 0, events: 20 }, ...destination };
    const text = JSON.stringify({ export: { destinations: { tried } } });
    const { export: config } = loadConfig({ text, env: {} });
    const source = new MemoryEventSource();
    let exporter: Exporter | undefined;
    const dataDir = temporaryFolder(scope, 'interop-data-', async () => exporter?.stop(1_000));
    const common = { version: '0.1.0', redact: <Event>(event: Event) => event, now: Date.now };
    exporter = await openExporter({ config, dataDir, source, ...common });
    exporter.start();
    return new Exporting(exporter, source);
  }

  /** One record of the stream. */
  add(events: readonly FindingEvent[]): void {
    this.#added += events.length;
    this.#source.add(events);
  }

  /** Adds events a few at a time, so that there is a stream while other things happen. */
  async feed(events: readonly FindingEvent[]): Promise<void> {
    for (let at = 0; at < events.length; at += 5) {
      this.add(events.slice(at, at + 5));
      await sleep(50);
    }
  }

  /** Waits until so many are delivered. */
  async delivered(count: number): Promise<void> {
    while (this.status.counts.delivered < count) await sleep(10);
  }

  get status() {
    return this.#exporter.statuses()[0]!;
  }

  /** Waits until all that was added is settled: delivered, or a dead letter. */
  async settled(withinMs = 120_000): Promise<void> {
    const isSettled = async () => {
      const { delivered, refused } = this.status.counts;
      return delivered + refused >= this.#added ? true : undefined;
    };
    await eventually(`all settled: ${JSON.stringify(this.status)}`, isSettled, withinMs);
  }
}
