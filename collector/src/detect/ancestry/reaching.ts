import type { FieldTable } from '../../model/fields.ts';
import type { Finding } from '../../model/finding.ts';
import type { Shared } from '../compile.ts';
import type { Correlating } from '../correlate/correlating.ts';
import type { CorrelationEvent, EventPart } from '../correlate/event.ts';
import type { GuardedRule, RuleGuard } from '../health/guard.ts';
import type { Rule } from '../load.ts';
import type { Cursor } from '../reader.ts';
import { Ancestry, type AncestryBounds, type AncestryMatch } from './ancestry.ts';

/** A rule as the detector runs it. */
export interface DetectorRule extends GuardedRule {
  readonly rule: Rule;
  readonly used: boolean;
  readonly silent: boolean;
}

export interface ReachingOptions {
  readonly rules: readonly DetectorRule[];
  readonly fields: FieldTable;
  readonly shared: Shared;
  readonly waitNanos: bigint;
  readonly allowedLatenessNanos: bigint;
  readonly correlating: Pick<Correlating, 'eventOf' | 'addEvent'>;
  /** Of the correlations, by their places. */
  readonly digests: readonly string[];
  readonly guard: RuleGuard;
  readonly journalled: boolean;
  readonly bounds?: Partial<AncestryBounds>;
}

/** The rules that reach for other spans, as the detector uses them: spans in, findings out when they are certain. */
export interface Reaching {
  readonly ancestry: Ancestry;
  has(rule: Rule): boolean;
  /** The rules of some categories, for the guard: what it times is what they ask of the span itself. */
  of(categories: number): readonly DetectorRule[];
  add(cursor: Cursor, categories: number, nowNanos: bigint | undefined): void;
  /** At the end of a batch, before correlations settle: what they wait for is given to them. */
  settle(nowNanos: bigint | undefined, eventNanos?: bigint): Finding[];
  flush(): Finding[];
}

export function createReaching(options: ReachingOptions): Reaching {
  const { rules, correlating, digests, guard } = options;
  const byRule = new Map(rules.map((each) => [each.rule, each]));
  const ancestry = new Ancestry({
    ...options,
    rules: rules.map(({ rule }) => rule),
    runs: ({ meta }) => !guard.disabled.has(meta.id),
    eventOf: (cursor, rule) => {
      const event = byRule.get(rule)!.used ? correlating.eventOf(cursor, [rule]) : undefined;
      return event && named(event, digests);
    },
    onDecided: (rule) => byRule.get(rule)!.tally.candidates++,
    onSuppressed: (rule, filter) => byRule.get(rule)!.tally.suppressedBy(filter),
    onFailed: (rule, error) => guard.failed(byRule.get(rule)!, error),
  });
  const reached = new Set(rules.filter(({ rule }) => ancestry.has(rule)).map(({ rule }) => rule));
  const ofCategories = new Map<number, readonly DetectorRule[]>();
  const heard = (matches: readonly AncestryMatch[], nowNanos: bigint | undefined): Finding[] =>
    matches.flatMap(({ rule, finding, event }) => {
      const { silent, tally } = byRule.get(rule)!;
      tally.matched((finding.agentName || finding.serviceName).slice(0, 256), finding.timeNanos, !silent);
      const placed = event && placedAgain(event, digests);
      if (placed) correlating.addEvent(placed, nowNanos);
      return silent ? [] : [finding];
    });
  return {
    ancestry,
    has: (rule) => reached.has(rule),
    of: (categories) => {
      const known = ofCategories.get(categories);
      if (known) return known;
      const found = rules.filter(({ rule }) => reached.has(rule) && (rule.categories & categories) !== 0);
      ofCategories.set(categories, found);
      return found;
    },
    add: (cursor, categories, nowNanos) => ancestry.add(cursor, categories, nowNanos),
    settle: (nowNanos, eventNanos) => heard(ancestry.settle(eventNanos), nowNanos),
    flush: () => heard(ancestry.flush(), undefined),
  };
}

/** An event that waits outlives the list of correlations by whose places its parts name them. */
interface NamedPart extends EventPart {
  readonly rule?: string | undefined;
}

function named(event: CorrelationEvent, digests: readonly string[]): CorrelationEvent {
  const parts = event.parts.map((part): NamedPart => ({ ...part, rule: digests[part.correlation] }));
  return { ...event, parts };
}

/** The event for the correlations as they stand now; undefined when all of its own are gone. */
function placedAgain(event: CorrelationEvent, digests: readonly string[]): CorrelationEvent | undefined {
  const places = event.parts.map(({ correlation, rule }: NamedPart) =>
    // A state of an earlier version does not say it.
    rule === undefined ? (correlation < digests.length ? correlation : -1) : digests.indexOf(rule),
  );
  const parts = event.parts
    .map(({ groups }, at) => ({ correlation: places[at]!, groups }))
    .filter(({ correlation }) => correlation >= 0)
    .sort((a, b) => a.correlation - b.correlation);
  return parts.length === 0 ? undefined : { ...event, parts };
}
