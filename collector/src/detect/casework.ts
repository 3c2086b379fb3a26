import { type Case, inPlaceOf } from '../model/case.ts';
import type { FieldTable } from '../model/fields.ts';
import type { Finding } from '../model/finding.ts';
import type { SpanEvents } from '../model/span-events.ts';
import { Casebook, type CasebookCounters } from './cases/casebook.ts';
import { chainOf, traceKey } from './cases/sighting.ts';
import { createTieReader, type Tie } from './cases/ties.ts';
import { latenessDefaultNanos } from './engine.ts';
import { createMemory, type Memory } from './memory.ts';
import { Repeats, type RepeatsCounters } from './repeats/repeats.ts';
import type { Stateful } from './state.ts';
import type { StateBounds } from './state-bounds.ts';

/** The rules, as casework needs them. */
export interface Ruling extends Stateful {
  detect(events: SpanEvents, nowNanos?: bigint): Finding[];
  advance(eventNanos: bigint): Finding[];
  flush(): Finding[];
  readonly newestNanos: bigint;
  /** Ids of traces and sessions that turned out to be of one session, since the last call. */
  takeLinks?(): readonly (readonly [string, string])[];
}

export interface CaseworkOptions {
  readonly fields: FieldTable;
  /** How far behind the newest span one may arrive and still fold; default 30 s, in nanoseconds. */
  readonly allowedLatenessNanos?: bigint;
  /** As for the detector: note what is taken in, for `takeJournal`. Default false. */
  readonly journal?: boolean;
  /**
   * Asked for each batch: while no rules are loaded no finding asks what belongs together, and it is not remembered. Rules that come later
   * meet traces as after a first start. Default: they are.
   */
  readonly areRulesLoaded?: () => boolean;
  /** How much is remembered; as much as `limits.ts` allows unless said otherwise. */
  readonly bounds?: Pick<StateBounds, 'repeats' | 'cases'>;
  /** Further parts whose memory is kept with this one's, by a name that never changes. */
  readonly parts?: Readonly<Record<string, Stateful>>;
}

/**
 * The rules and what comes after them: repeats of a match become one finding, findings of one causal chain become cases.
 * The findings it gives are those to store; they know their chain.
 */
export interface Casework extends Omit<Ruling, keyof Stateful | 'takeLinks'>, Memory {
  /** The cases that changed since the last call, for the record that holds their findings. */
  takeCases(): Case[];
  stats(): CaseworkStats;
}

/** Counts since the start; sizes as they are now. */
export interface CaseworkStats {
  readonly repeats: Readonly<RepeatsCounters> & { readonly folds: number };
  readonly cases: Readonly<CasebookCounters> & { readonly remembered: number; readonly findings: number };
}

export function withCasework(rules: Ruling, options: CaseworkOptions): Casework {
  const { fields, allowedLatenessNanos = latenessDefaultNanos, journal = false } = options;
  const { areRulesLoaded = () => true } = options;
  const repeats = new Repeats({ allowedLatenessNanos, ...(options.bounds && { bounds: options.bounds.repeats }) });
  const casebook = new Casebook(options.bounds?.cases);
  const tiesOf = createTieReader(fields);
  // Their names stand in checkpoints and journals.
  const memory = createMemory({ rules, repeats, cases: casebook, ...options.parts });
  const changed = new Map<string, Case>();
  const change = (each: Case): void => void changed.set(each.id, inPlaceOf(changed.get(each.id), each));
  const newest = (): bigint => (rules.newestNanos > repeats.newestNanos ? rules.newestNanos : repeats.newestNanos);

  const given = (found: readonly Finding[], ties: readonly Tie[] = []): Finding[] => {
    const findings = found.map((finding) => ({ ...finding, chainId: chainOf(finding).id }));
    const links = rules.takeLinks?.().map(([a, b]): Tie => [traceKey(a), traceKey(b)]) ?? [];
    for (const each of casebook.take(findings, [...ties, ...links], newest())) change(each);
    if (!journal) memory.dropJournal();
    return findings;
  };

  return {
    ...memory,
    detect: (events, nowNanos) => {
      const found = rules.detect(events, nowNanos);
      const ties = areRulesLoaded() ? tiesOf(events) : [];
      return given(repeats.take(found, rules.newestNanos, nowNanos), ties);
    },
    advance: (eventNanos) => {
      const found = rules.advance(eventNanos);
      return given([...found, ...repeats.advance(eventNanos)]);
    },
    flush: () => {
      const findings = given([...rules.flush(), ...repeats.flush()]);
      for (const each of casebook.flush()) change(each);
      if (!journal) memory.dropJournal();
      return findings;
    },
    get newestNanos() {
      return newest();
    },
    takeCases: () => {
      const cases = [...changed.values()];
      changed.clear();
      return cases;
    },
    stats: () => ({
      repeats: { ...repeats.counters, folds: repeats.size },
      cases: { ...casebook.counters, remembered: casebook.size.cases, findings: casebook.size.findings },
    }),
  };
}
