import type { Finding } from '../../model/finding.ts';
import { lastingId, periodOf } from './fold-key.ts';

/** Matches in messages that have a finding, beyond the period of it: conversations go on for days. The oldest are forgotten. */
export class Told {
  /** The first period of each, by what it shares with its repeats of all periods. */
  readonly #periods: Map<string, bigint>;
  readonly #sizeMax: number;

  constructor(sizeMax: number, entries: readonly (readonly [string, bigint])[] = []) {
    this.#periods = new Map(entries);
    this.#sizeMax = sizeMax;
  }

  /** There is a finding of what is told again, of its period or one before. */
  isKnown(finding: Finding): boolean {
    const period = this.#periods.get(lastingId(finding));
    return period !== undefined && period <= periodOf(finding.timeNanos);
  }

  remember(finding: Finding): void {
    const [id, period] = [lastingId(finding), periodOf(finding.timeNanos)];
    const known = this.#periods.get(id);
    this.#periods.delete(id);
    this.#periods.set(id, known !== undefined && known < period ? known : period);
    if (this.#periods.size > this.#sizeMax) this.#periods.delete(this.#periods.keys().next().value!);
  }

  entries(): (readonly [string, bigint])[] {
    return [...this.#periods];
  }
}
