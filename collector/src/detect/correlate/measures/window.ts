import type { SpanIdentity } from '../../span-identity.ts';
import type { Entry } from '../event.ts';
import type { Measure } from '../measure.ts';

/** The events of a window in event order; those before `head` are gone. */
export interface Window<S> {
  entries: Entry[];
  head: number;
  /** Values in the entries; entries without values count one. */
  size: number;
  dropped: number;
  readonly total: S;
}

/** What is kept up to date while events come and go. */
export interface Total<S> {
  create(): S;
  add(total: S, values: readonly (string | number)[]): void;
  remove(total: S, values: readonly (string | number)[]): void;
  holds(total: S, events: number): boolean;
  shown(total: S, events: number): string;
}

/** How many events are in a window. */
export function eventsOf<S>({ entries, head }: Window<S>): number {
  return entries.length - head;
}

/** A measure over all events of a window: totals change with what enters and leaves, nothing is counted again. */
export function windowMeasure<S>(total: Total<S>, sizeMax: number): Measure<Window<S>> {
  const removeFirst = (window: Window<S>): void => {
    const entry = window.entries[window.head++]!;
    window.size -= Math.max(1, entry.values.length);
    total.remove(window.total, entry.values);
    if (window.head < 64 || window.head * 2 < window.entries.length) return;
    window.entries = window.entries.slice(window.head);
    window.head = 0;
  };
  const eventsIn = eventsOf<S>;
  return {
    create: () => ({ entries: [], head: 0, size: 0, dropped: 0, total: total.create() }),
    add: (window, entry) => {
      // Most groups never see a second event: a list made with one has no room for more.
      if (window.entries.length === 0) window.entries = [entry];
      else window.entries.push(entry);
      window.size += Math.max(1, entry.values.length);
      total.add(window.total, entry.values);
      while (window.size > sizeMax && eventsIn(window) > 1) {
        removeFirst(window);
        window.dropped++;
      }
    },
    expire: (window, before) => {
      while (eventsIn(window) > 0 && window.entries[window.head]!.timeNanos < before) removeFirst(window);
      if (eventsIn(window) === 0) window.dropped = 0;
    },
    holds: (window) => eventsIn(window) > 0 && total.holds(window.total, eventsIn(window)),
    size: (window) => window.size,
    events: eventsIn,
    shown: (window) => total.shown(window.total, eventsIn(window)),
    spans: (window, max): readonly SpanIdentity[] =>
      window.entries.slice(window.head, window.head + max).map(({ span }) => span),
    dropped: (window) => window.dropped,
  };
}
