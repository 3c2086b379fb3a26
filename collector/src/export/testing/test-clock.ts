import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../delivery/clock.ts';

/** A clock that stands until somebody moves it on. */
export class TestClock implements Clock {
  readonly #timers = new Map<object, { readonly atMs: number; readonly callback: () => void }>();
  readonly #random: () => number;
  #nowMs = Date.UTC(2026, 0, 1);

  constructor(random: () => number = () => 0.5) {
    this.#random = random;
  }

  now(): number {
    return this.#nowMs;
  }

  timer(ms: number, callback: () => void): () => void {
    const key = {};
    this.#timers.set(key, { atMs: this.#nowMs + Math.max(0, ms), callback });
    return () => void this.#timers.delete(key);
  }

  random(): number {
    return this.#random();
  }

  /** Nothing fires any more: what waits for this clock waits for ever. */
  stop(): void {
    this.#timers.clear();
    this.timer = () => () => undefined;
  }

  /** Lets everything happen that needs no time, then moves on to the next timer. False when there is none. */
  async step(): Promise<boolean> {
    await turn();
    const next = [...this.#timers].sort(([, a], [, b]) => a.atMs - b.atMs)[0];
    if (next === undefined) return false;
    const [key, { atMs, callback }] = next;
    this.#timers.delete(key);
    this.#nowMs = Math.max(this.#nowMs, atMs);
    callback();
    await turn();
    return true;
  }

  /** Moves on until something is true; fails when nothing is left that could make it so. */
  async until(isTrue: () => boolean, stepsMax = 100_000): Promise<void> {
    await turn();
    for (let steps = 0; !isTrue(); steps++) {
      if (steps > stepsMax || !(await this.step())) throw new Error('it never came about');
    }
  }
}
