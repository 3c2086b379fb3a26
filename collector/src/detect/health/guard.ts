import type { RuleNode } from '../compile.ts';
import type { Cursor } from '../reader.ts';
import type { RuleTally } from './tally.ts';

/** What a rule may cost before it is disabled, and how that is measured. */
export interface GuardOptions {
  /** Monotonic milliseconds with fractions, for example `performance.now`. Without it nothing is timed. */
  readonly clock?: () => number;
  readonly budget?: Partial<RuleBudget>;
  /** Asked when a rule has just been disabled. */
  readonly onDisabled?: (disabled: DisabledRule) => void;
}

export interface RuleBudget {
  /** Milliseconds that one rule may take on one span; more on a request of more than 4 MiB, in proportion. */
  readonly spanMs: number;
  /** Microseconds that one rule may take on average, over `meanSamples` timed spans; more on spans of over 16 KiB. */
  readonly meanMicros: number;
  readonly meanSamples: number;
  /** How often it may break the first, or throw, before it is disabled. */
  readonly strikesMax: number;
  /** One in so many spans is timed rule by rule. */
  readonly sampleEvery: number;
}

export const budgetDefaults: RuleBudget = {
  spanMs: 1_000,
  meanMicros: 2_000,
  meanSamples: 512,
  strikesMax: 3,
  sampleEvery: 64,
};

export interface DisabledRule {
  readonly ruleId: string;
  readonly ruleTitle: string;
  readonly reason: string;
}

/** A rule as the guard runs it. */
export interface GuardedRule {
  readonly node: RuleNode;
  readonly tally: RuleTally;
}

interface Watch {
  strikes: number;
  samples: number;
  nanos: number;
}

/**
 * Runs rules so that one which throws or takes too long costs itself and nobody else: it is disabled, until the rules are
 * loaded again. Times are taken in a second run over a span, when what the span's fields cost is paid already: they are a
 * rule's own, and the first run stays as fast as without.
 */
export class RuleGuard {
  readonly disabled = new Map<string, DisabledRule>();
  readonly #clock: (() => number) | undefined;
  readonly #budget: RuleBudget;
  readonly #onDisabled: (disabled: DisabledRule) => void;
  readonly #watches = new Map<GuardedRule, Watch>();
  #untilSample = 1;
  #startedMs = 0;
  #slow = false;

  constructor({ clock, budget, onDisabled }: GuardOptions) {
    this.#clock = clock;
    this.#budget = { ...budgetDefaults, ...budget };
    this.#onDisabled = onDisabled ?? (() => {});
  }

  /** Whether the rule matches and no filter takes the match away. */
  matches(rule: GuardedRule, cursor: Cursor): boolean {
    if (this.#isDisabled(rule)) return false;
    const { node, tally } = rule;
    tally.candidates++;
    try {
      if (!node.main.test(cursor)) return false;
      for (let index = 0; index < node.filters.length; index++) {
        if (node.filters[index]!.test(cursor)) continue;
        tally.suppressedBy(index);
        return false;
      }
      return true;
    } catch (error) {
      this.failed(rule, error);
      return false;
    }
  }

  /** A rule threw, here or while its finding was written. */
  failed(rule: GuardedRule, error: unknown): void {
    rule.tally.errors++;
    const said = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    this.#strike(rule, `it threw ${said.slice(0, 200)}`);
  }

  /** Before the rules of a span. */
  begin(): void {
    if (this.#clock) this.#startedMs = this.#clock();
  }

  /** After them: whether they are to be timed one by one, as it is this span's turn or something took too long. */
  isDue(): boolean {
    if (!this.#clock) return false;
    this.#slow = this.#clock() - this.#startedMs > this.#budget.spanMs;
    if (!this.#slow && --this.#untilSample > 0) return false;
    if (!this.#slow) this.#untilSample = this.#budget.sampleEvery;
    return true;
  }

  /** Times rules that were run on the span. */
  time(rules: readonly GuardedRule[], cursor: Cursor): void {
    for (const rule of rules) if (this.#clock && !this.#isDisabled(rule)) this.#time(rule, cursor, this.#clock);
  }

  #isDisabled({ tally }: GuardedRule): boolean {
    return this.disabled.size > 0 && this.disabled.has(tally.rule.meta.id);
  }

  #time(rule: GuardedRule, cursor: Cursor, clock: () => number): void {
    const { node, tally } = rule;
    const from = clock();
    try {
      node.test(cursor);
    } catch {
      // The first run has counted it.
    }
    const nanos = Math.max(0, clock() - from) * 1e6;
    const spanMs = Math.round(this.#budget.spanMs * largeness(cursor, 1, hugeBytes));
    if (nanos > spanMs * 1e6) {
      this.#strike(rule, `it took ${Math.round(nanos / 1e6)} ms on one span, more than ${spanMs} ms`);
    }
    // A slow span is no sample of all spans.
    if (this.#slow) return;
    tally.sampledSpans++;
    tally.sampledNanos += nanos;
    this.#average(rule, nanos / largeness(cursor, cursor.events.batch.spanCount, largeBytes));
  }

  #average(rule: GuardedRule, nanos: number): void {
    const watch = this.#watchOf(rule);
    watch.samples++;
    watch.nanos += nanos;
    const { meanMicros, meanSamples } = this.#budget;
    if (watch.samples < meanSamples) return;
    const micros = watch.nanos / watch.samples / 1000;
    watch.samples = 0;
    watch.nanos = 0;
    if (micros <= meanMicros) return;
    this.#disable(
      rule,
      `it took ${Math.round(micros)} µs on average over ${meanSamples} spans, more than ${meanMicros} µs`,
    );
  }

  #strike(rule: GuardedRule, what: string): void {
    const watch = this.#watchOf(rule);
    watch.strikes++;
    const times = watch.strikes === 1 ? '' : `, for the ${watch.strikes}. time`;
    if (watch.strikes >= this.#budget.strikesMax) this.#disable(rule, what + times);
  }

  #disable({ tally }: GuardedRule, reason: string): void {
    const { id: ruleId, title: ruleTitle } = tally.rule.meta;
    if (this.disabled.has(ruleId)) return;
    const disabled = { ruleId, ruleTitle, reason };
    this.disabled.set(ruleId, disabled);
    this.#onDisabled(disabled);
  }

  #watchOf(rule: GuardedRule): Watch {
    const known = this.#watches.get(rule);
    if (known) return known;
    const watch = { strikes: 0, samples: 0, nanos: 0 };
    this.#watches.set(rule, watch);
    return watch;
  }
}

/** Spans up to these sizes have the whole budget between them; larger ones as much more as they are larger. */
const hugeBytes = 4 * 1024 * 1024;
const largeBytes = 16 * 1024;

/** How much more than usual there is to look at, so that whoever sends large spans cannot get a rule disabled by that. */
function largeness({ events }: Cursor, spans: number, usualBytes: number): number {
  return Math.max(1, (events.batch.bytes?.length ?? 0) / spans / usualBytes);
}
