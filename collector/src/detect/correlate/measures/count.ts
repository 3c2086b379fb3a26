import type { Entry } from '../event.ts';
import type { EarlyOpening, Measure } from '../measure.ts';
import { compareNumbers, satisfies, type Threshold } from '../thresholds.ts';
import { eventsOf, type Window, windowMeasure } from './window.ts';

/** event_count: a span counts once, however many of the listed rules it matches. */
export function countMeasure(thresholds: readonly Threshold[], sizeMax: number): Measure<Window<null>> {
  const satisfied = (events: number) => satisfies(thresholds, (value) => compareNumbers(events, value));
  const measure = windowMeasure<null>(
    {
      create: () => null,
      add: () => {},
      remove: () => {},
      holds: (_, events) => satisfied(events),
      shown: (_, events) => String(events),
    },
    sizeMax,
  );
  return {
    ...measure,
    early: {
      possible: (window, { events }) => satisfied(Math.min(eventsOf(window) + events, sizeMax)),
      find: (window, waiting, timespanNanos) => find(window, waiting, timespanNanos, satisfied),
    },
  };
}

function find(
  { entries, head }: Window<null>,
  waiting: readonly Entry[],
  timespanNanos: bigint,
  satisfied: (events: number) => boolean,
): EarlyOpening | undefined {
  let from = head;
  let waitingFrom = 0;
  for (const [at, { timeNanos }] of waiting.entries()) {
    const before = timeNanos - timespanNanos;
    from = placeOf(entries, from, before);
    while (waiting[waitingFrom]!.timeNanos < before) waitingFrom++;
    const events = entries.length - from + at + 1 - waitingFrom;
    if (!satisfied(events)) continue;
    const window = [...entries.slice(from), ...waiting.slice(waitingFrom, at + 1)];
    return { at, events, shown: String(events), spans: (max) => window.slice(0, max).map(({ span }) => span) };
  }
  return undefined;
}

/** The first place from `from` on whose event is not before a time. */
function placeOf(entries: readonly Entry[], from: number, timeNanos: bigint): number {
  let [low, high] = [from, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (entries[middle]!.timeNanos < timeNanos) low = middle + 1;
    else high = middle;
  }
  return low;
}
