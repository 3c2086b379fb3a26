import type { Logger } from 'pino';
import { createDetector, type Detector, type DetectorOptions } from '../detect/engine.ts';
import type { DisabledRule, RuleBudget } from '../detect/health/guard.ts';
import type { RuleHealth } from '../detect/health/rule-health.ts';
import type { LoadedRules } from '../detect/load.ts';
import { problemText, SpanwardenError } from '../model/errors.ts';
import type { RuleState } from '../model/rule-health.ts';
import { stateOfDisabled, stateOfRefusal, statesOfChange } from './rule-states.ts';

export interface ActiveRulesOptions {
  /** Reads and checks all rule files. Throws a SpanwardenError with everything that is wrong. */
  load(): LoadedRules;
  readonly detector: Omit<DetectorOptions, 'rules' | 'correlations' | 'clock' | 'onDisabled' | 'budget'>;
  budget?(): Partial<RuleBudget>;
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Monotonic milliseconds with fractions. */
  clock(): number;
  /** Asked after rules were exchanged, refused or disabled. */
  onChange?(): void;
}

/** `changed` counts rules and filters that are new, gone or written otherwise; `ms` is how long spans had to wait. */
export type ReloadOutcome =
  | { readonly status: 'reloaded'; readonly rules: number; readonly changed: number; readonly ms: number }
  | { readonly status: 'refused'; readonly error: SpanwardenError };

/**
 * The detector that spans meet, whose rules can be exchanged between two batches. A new set is loaded and compiled first:
 * with any error in it the old one stays. Correlations that are the same in both sets keep what they remember.
 *
 * The constructor throws a SpanwardenError when the first set has an error.
 */
export class ActiveRules {
  /** Whatever is asked of it, the detector of the moment answers. */
  readonly detector: Detector = current(() => this.#detector, {
    takeJournal: () => this.#takeJournal(),
    takeHealth: (nowMs) => this.takeHealth(nowMs),
  });
  readonly #options: ActiveRulesOptions;
  #set: LoadedRules;
  #detector: Detector;
  #states: RuleState[];
  /** What the detectors before the current one did and nobody has asked for yet. */
  #earlier: RuleHealth[] = [];
  #refused: SpanwardenError | undefined;
  #reloads = { reloaded: 0, refused: 0 };
  #lastMs = 0;
  /** What the detectors before the current one took in and nobody has stored yet. */
  #journal: Uint8Array = new Uint8Array();

  constructor(options: ActiveRulesOptions) {
    this.#options = options;
    this.#set = options.load();
    this.#detector = this.#create(this.#set);
    this.#states = statesOfChange(undefined, this.#set);
    this.#logExpired();
  }

  get set(): LoadedRules {
    return this.#set;
  }

  /** Whether there is anything that spans are asked. */
  get isAnyLoaded(): boolean {
    return this.#set.rules.length > 0 || this.#set.correlations.length > 0;
  }

  /** The newest set that could not be taken over, until one can. */
  get refused(): SpanwardenError | undefined {
    return this.#refused;
  }

  get reloads(): { readonly reloaded: number; readonly refused: number; readonly lastMs: number } {
    return { ...this.#reloads, lastMs: this.#lastMs };
  }

  /** Loads the rules again. Disabled ones get another chance. */
  reload(): ReloadOutcome {
    const { load, logger, now, clock } = this.#options;
    const from = clock();
    let set: LoadedRules;
    try {
      set = load();
    } catch (error) {
      if (!(error instanceof SpanwardenError)) throw error;
      return this.#refuse(error);
    }
    this.#refused = undefined;
    const changed = changesBetween(this.#set, set);
    const rules = set.rules.length + set.correlations.length;
    const detector = this.#create(set);
    this.#journal = this.#takeJournal();
    const restored = detector.takeOver(this.#detector);
    this.#earlier.push(this.#detector.takeHealth(now()));
    this.#states.push(...statesOfChange(this.#set, set));
    this.#detector = detector;
    this.#set = set;
    this.#reloads.reloaded++;
    this.#lastMs = clock() - from;
    logger.info({ rules, changed, restored, ms: Math.round(this.#lastMs) }, 'rules reloaded');
    this.#logExpired();
    this.#options.onChange?.();
    return { status: 'reloaded', rules, changed, ms: this.#lastMs };
  }

  /** Changes in how rules stand since the last call. */
  takeStates(): RuleState[] {
    const states = this.#states;
    this.#states = [];
    return states;
  }

  takeHealth(nowMs: number): RuleHealth {
    const all = [...this.#earlier, this.#detector.takeHealth(nowMs)];
    this.#earlier = [];
    return { stats: all.flatMap(({ stats }) => stats), fields: all.flatMap(({ fields }) => fields) };
  }

  disabledRules(): readonly DisabledRule[] {
    return this.#detector.disabledRules();
  }

  /** Two journals one after the other are a journal. */
  #takeJournal(): Uint8Array {
    const earlier = this.#journal;
    this.#journal = new Uint8Array();
    const taken = this.#detector.takeJournal();
    return earlier.length === 0 ? taken : Buffer.concat([earlier, taken]);
  }

  #create({ rules, correlations }: LoadedRules): Detector {
    const { detector, budget, clock, logger } = this.#options;
    return createDetector({
      ...detector,
      rules,
      correlations,
      clock,
      budget: budget?.() ?? {},
      onDisabled: (disabled) => {
        logger.error(disabled, 'rule disabled until the rules are reloaded; all others go on');
        const state = stateOfDisabled(this.#set, disabled.ruleId, disabled.reason);
        if (state) this.#states.push(state);
        this.#options.onChange?.();
      },
    });
  }

  #refuse(error: SpanwardenError): ReloadOutcome {
    this.#refused = error;
    this.#reloads.refused++;
    const problems = error.problems.map(problemText);
    this.#options.logger.error({ problems }, 'the rules have errors and were not reloaded; the old ones go on');
    this.#states.push(stateOfRefusal(error));
    this.#options.onChange?.();
    return { status: 'refused', error };
  }

  #logExpired(): void {
    const { logger, now } = this.#options;
    for (const { meta, file } of this.#set.filters) {
      if (meta.expiresNanos === undefined || meta.expiresNanos > BigInt(now()) * 1_000_000n) continue;
      const { title, owner, expires } = meta;
      logger.warn({ title, owner, expires, file }, 'suppression expired: what it hid is found again');
    }
  }
}

/** An object that passes everything but `own` on to another, which may be a different one each time. */
function current<T extends object>(get: () => T, own: Partial<T>): T {
  return new Proxy({} as T, {
    get: (_, key) => {
      if (Object.hasOwn(own, key)) return own[key as keyof T];
      const target = get();
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** How many rules and filters are in one set and not in the other, or not with the same text. */
function changesBetween(before: LoadedRules, after: LoadedRules): number {
  const [a, b] = [versionsOf(before), versionsOf(after)];
  return [...new Set([...a.keys(), ...b.keys()])].filter((id) => a.get(id) !== b.get(id)).length;
}

function versionsOf({ rules, correlations, filters }: LoadedRules): Map<string, string> {
  return new Map([...rules, ...correlations, ...filters].map(({ meta }) => [meta.id, meta.version]));
}
