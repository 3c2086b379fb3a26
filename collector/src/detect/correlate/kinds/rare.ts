import { limits } from '../../../model/limits.ts';
import type { CorrelationText } from '../correlation.ts';
import type { RareSyntax } from '../extension.ts';
import { shownValues } from '../shown.ts';
import {
  createOpenFindings,
  type Kind,
  noteFinding,
  type OpenFindings,
  openEpisode,
  openFindingOf,
  updateEpisode,
} from './grouped.ts';

/** How often values were seen in one period. */
export interface Counts {
  /** Events that had the field. */
  events: number;
  readonly seen: Map<string, number>;
  /** No value that is not in `seen` was seen more often. */
  floor: number;
}

export interface Rarity {
  period: bigint;
  current: Counts;
  earlier: Counts;
  /** Rare values with their findings. */
  open: OpenFindings;
  forgotten: number;
}

/**
 * rare: a value that the events before it had hardly ever. The history is this period of `history` and the one before, so
 * that it is never shorter than `history` once there was as much.
 */
export function rareKind(
  correlation: CorrelationText,
  { maxShare, maxCount, min, historyNanos }: RareSyntax,
  valuesMax: number = limits.rareValuesMax,
): Kind<Rarity> {
  return {
    idleNanos: historyNanos * 2n,
    create: (timeNanos) => ({
      period: timeNanos / historyNanos,
      current: emptyCounts(),
      earlier: emptyCounts(),
      open: createOpenFindings(),
      forgotten: 0,
    }),
    add: (group, { timeNanos, span, values }) => {
      const { state } = group;
      turn(state, timeNanos / historyNanos);
      const events = state.current.events + state.earlier.events;
      const texts = values.map(String);
      const rare = texts.filter((value) => {
        const seen = seenOf(state, value);
        if (events < min || seen > (maxCount ?? seen)) return false;
        return maxShare === undefined || seen <= maxShare * events;
      });
      const seen = rare.map((value) => seenOf(state, value));
      for (const value of texts) {
        count(state, value, valuesMax);
        if (!rare.includes(value)) state.open.idOf.delete(value);
      }
      state.current.events++;
      if (rare.length === 0) return undefined;
      const shown = `${shownValues(rare)}: in ${seen.slice(0, 3).join(', ')} of ${events} events before`;
      const known = openFindingOf(state.open, rare);
      const change = known
        ? updateEpisode(known, timeNanos, 1, shown)
        : openEpisode(correlation, group, span, timeNanos, { spans: [span], count: 1, shown });
      group.episode = null;
      noteFinding(state.open, change.episode, rare, limits.rareEpisodesMax);
      return change;
    },
    size: ({ current, earlier, open }) => 1 + current.seen.size + earlier.seen.size + open.idOf.size,
    dropped: ({ forgotten }) => forgotten,
  };
}

function emptyCounts(): Counts {
  return { events: 0, seen: new Map(), floor: 0 };
}

function turn(state: Rarity, period: bigint): void {
  if (period === state.period) return;
  state.earlier = period === state.period + 1n ? state.current : emptyCounts();
  state.current = emptyCounts();
  state.period = period;
  state.open = createOpenFindings();
}

/** Exact, or above the truth where values were forgotten: a frequent value is never taken for a rare one. */
function seenOf({ current, earlier }: Rarity, value: string): number {
  return (current.seen.get(value) ?? current.floor) + (earlier.seen.get(value) ?? earlier.floor);
}

/** Past the bound the rarest tenth is forgotten at once, so that it costs little per event (as in space saving). */
function count(state: Rarity, value: string, valuesMax: number): void {
  const { current } = state;
  const { seen } = current;
  seen.set(value, (seen.get(value) ?? current.floor) + 1);
  if (seen.size <= valuesMax) return;
  const counts = [...seen.values()].sort((a, b) => a - b);
  current.floor = counts[Math.floor(valuesMax / 10)]!;
  for (const [each, times] of seen) {
    if (times > current.floor) continue;
    seen.delete(each);
    state.forgotten++;
  }
}
