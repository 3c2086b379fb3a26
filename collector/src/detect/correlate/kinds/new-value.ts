import { limits } from '../../../model/limits.ts';
import { sessionOf } from '../../../model/session.ts';
import type { SpanIdentity } from '../../span-identity.ts';
import type { CorrelationText } from '../correlation.ts';
import type { NewValueSyntax } from '../extension.ts';
import { shownValues } from '../shown.ts';
import type { Kind, KindEvent, KindGroup } from './grouped.ts';
import { openEpisode } from './grouped.ts';
import {
  addDistinct,
  addToFilter,
  createDistinct,
  createFilter,
  type Distinct,
  distinctText,
  type Filter,
  filterErrorRate,
  filterHas,
} from './sketch.ts';

/** What is known of a baseline key. */
export interface Baseline {
  readonly sinceNanos: bigint;
  events: number;
  readonly sessions: Distinct;
  /** When each value was seen last, the one seen longest ago first. */
  readonly values: Map<string, bigint>;
  /** Values beyond the exact ones: of this period of `ttl` and of the one before, so that none is forgotten too early. */
  filter: Filter | null;
  olderFilter: Filter | null;
  filterPeriod: bigint;
  /** Values that went into the filter. */
  filtered: number;
}

/** The probability that a new value is taken for a known one; 0 while the set is exact. */
export function missRate({ filter, olderFilter }: Baseline): number {
  const known = [filter, olderFilter].map((each) => (each === null ? 0 : filterErrorRate(each)));
  return 1 - known.reduce((kept, rate) => kept * (1 - rate), 1);
}

/** new_value: the first time that a value is seen for a baseline key, after a time of learning. */
export function newValueKind(
  correlation: CorrelationText,
  syntax: NewValueSyntax,
  exactMax: number = limits.newValueExactMax,
): Kind<Baseline> {
  const { learnNanos, learnEvents, ttlNanos } = syntax;
  return {
    idleNanos: ttlNanos,
    create: (timeNanos) => ({
      sinceNanos: timeNanos,
      events: 0,
      sessions: createDistinct(),
      values: new Map(),
      filter: null,
      olderFilter: null,
      filterPeriod: 0n,
      filtered: 0,
    }),
    add: (group, event) => {
      const { state } = group;
      const { timeNanos, span } = event;
      const learning = timeNanos - state.sinceNanos < learnNanos || state.events < learnEvents;
      forget(state, timeNanos, ttlNanos);
      const fresh = event.values.map(String).filter((value) => !knows(state, value));
      for (const value of event.values.map(String)) remember(state, value, timeNanos, exactMax);
      state.events++;
      addDistinct(state.sessions, sessionOf(span).id);
      return learning || fresh.length === 0 ? undefined : firstSeen(correlation, group, event, fresh);
    },
    size: ({ values, filter, olderFilter }) =>
      1 + values.size + (filter?.words.length ?? 0) + (olderFilter?.words.length ?? 0),
    dropped: ({ filtered }) => filtered,
  };
}

function firstSeen(
  correlation: CorrelationText,
  group: KindGroup<Baseline>,
  { timeNanos, span }: KindEvent,
  fresh: readonly string[],
): ReturnType<typeof openEpisode> {
  const { state } = group;
  const spans: readonly SpanIdentity[] = [span];
  const missed = missRate(state);
  const said = missed === 0 ? '' : `; a filter remembers the rarer values and misses ${percent(missed)} of new ones`;
  const sessions = distinctText(state.sessions);
  const history = `first in ${state.events} events of ${sessions} session${sessions === '1' ? '' : 's'}${said}`;
  const shown = `${shownValues(fresh)}: ${history}`;
  return openEpisode(correlation, group, span, timeNanos, { spans, count: 1, shown });
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))} %`;
}

function knows({ values, filter, olderFilter }: Baseline, value: string): boolean {
  if (values.has(value)) return true;
  return (filter !== null && filterHas(filter, value)) || (olderFilter !== null && filterHas(olderFilter, value));
}

function remember(state: Baseline, value: string, timeNanos: bigint, exactMax: number): void {
  const { values } = state;
  if (values.delete(value) || values.size < exactMax) {
    values.set(value, timeNanos);
    return;
  }
  state.filter ??= createFilter();
  if (!filterHas(state.filter, value)) state.filtered++;
  addToFilter(state.filter, value);
}

/** Exactly `ttl` after it was seen last a value is still known. */
function forget(state: Baseline, timeNanos: bigint, ttlNanos: bigint): void {
  for (const [value, seenNanos] of state.values) {
    if (seenNanos >= timeNanos - ttlNanos) break;
    state.values.delete(value);
  }
  const period = timeNanos / ttlNanos;
  if (period === state.filterPeriod) return;
  state.olderFilter = period === state.filterPeriod + 1n ? state.filter : null;
  state.filter = null;
  state.filterPeriod = period;
}
