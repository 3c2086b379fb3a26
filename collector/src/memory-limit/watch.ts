import process from 'node:process';
import type { Logger } from 'pino';
import type { MemoryLevel } from '../receive/admission.ts';

export interface MemoryUsage {
  readonly rss: number;
  readonly heapUsed: number;
  readonly arrayBuffers: number;
}

export interface MemoryWatchOptions {
  readonly limitBytes: number;
  readonly logger?: Logger;
  readonly read?: () => MemoryUsage;
  /** Collects garbage at once; does nothing unless said otherwise, or Node runs with --expose-gc. */
  readonly collect?: () => void;
  /** Milliseconds that only go forward. */
  readonly clock?: () => number;
}

/** Shares of the limit at which a level begins, and at which it ends: each has to be left behind for good. */
const tight = { from: 0.85, to: 0.8 };
const full = { from: 0.95, to: 0.92 };
/** Nobody is let in for so long at most: where it does not help, memory that the process has and does not use is used again. */
const fullMsMax = 5_000;
const lookMs = 100;
/** A request may ask in between, when the last look is this old: one batch can take much in a moment. */
const lookMsMin = 10;
/** Garbage is collected for our sake so often at most, and for a tenth of the time. */
const collectMsMin = 500;
const collectShare = 10;

/** Looks at the memory of the process several times a second. Near the limit it says so, and has garbage collected. */
export class MemoryWatch {
  readonly #options: MemoryWatchOptions;
  readonly #read: () => MemoryUsage;
  readonly #clock: () => number;
  readonly #collect: () => void;
  readonly #timer: NodeJS.Timeout;
  #level: MemoryLevel = 'free';
  #usage: MemoryUsage;
  #lookedMs: number;
  #collectedMs = Number.NEGATIVE_INFINITY;
  #collectionMs = 0;
  #fullSinceMs: number | undefined;
  #collections = 0;

  constructor(options: MemoryWatchOptions) {
    this.#options = options;
    this.#read = options.read ?? process.memoryUsage;
    this.#clock = options.clock ?? (() => performance.now());
    this.#collect = options.collect ?? (() => (globalThis as { gc?: () => void }).gc?.());
    this.#usage = this.#read();
    this.#lookedMs = this.#clock();
    this.#timer = setInterval(() => this.#look(), lookMs).unref();
  }

  get limitBytes(): number {
    return this.#options.limitBytes;
  }

  get usage(): MemoryUsage {
    return this.#usage;
  }

  /** Collections of garbage that it asked for. */
  get collections(): number {
    return this.#collections;
  }

  /** How full the memory is now. */
  level(): MemoryLevel {
    if (this.#clock() - this.#lookedMs >= lookMsMin) this.#look();
    return this.#level;
  }

  /** What readiness says about it; undefined while there is enough. */
  warning(): string | undefined {
    if (this.#level === 'free') return undefined;
    const [used, limit] = [this.#usage.rss, this.limitBytes].map((bytes) => Math.round(bytes / 1024 / 1024));
    return `memory is at ${used} of ${limit} MiB: senders get 503; raise limits.memory if that goes on`;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    this.#measure();
    if (this.#level === 'free') return;
    const sinceMs = this.#clock() - this.#collectedMs;
    if (sinceMs < Math.max(collectMsMin, this.#collectionMs * collectShare)) return;
    // What senders would make V8 do, they now wait for: nobody allocates any more.
    const from = this.#clock();
    this.#collect();
    this.#collections++;
    this.#collectedMs = this.#clock();
    this.#collectionMs = this.#collectedMs - from;
    this.#measure();
  }

  #measure(): void {
    this.#usage = this.#read();
    this.#lookedMs = this.#clock();
    const share = this.#usage.rss / this.limitBytes;
    const before = this.#level;
    const isFull = share >= full.from || (this.#fullSinceMs !== undefined && share >= full.to);
    this.#fullSinceMs = isFull ? (this.#fullSinceMs ?? this.#lookedMs) : undefined;
    if (isFull && this.#lookedMs - this.#fullSinceMs! < fullMsMax) this.#level = 'full';
    else if (share >= tight.from || (before !== 'free' && share >= tight.to)) this.#level = 'tight';
    else this.#level = 'free';
    if ((before === 'free') === (this.#level === 'free')) return;
    const { logger, limitBytes } = this.#options;
    const facts = { ...this.#usage, limitBytes };
    if (before === 'free') logger?.warn(facts, 'memory is near limits.memory; senders get 503 until there is more');
    else logger?.info(facts, 'there is enough memory again');
  }
}
