import type { SpanIdentity } from '../../span-identity.ts';
import type { Entry } from '../event.ts';
import { SpanSet } from '../kept-span.ts';
import type { Measure } from '../measure.ts';
import { Recency, type Recent } from '../recency.ts';
import { addToSketch, createSketch, estimate, expireSketch, type Sketch } from '../sketch.ts';
import { compareNumbers, satisfies, type Threshold } from '../thresholds.ts';

/** A value and the event that held it last. */
interface Held extends Recent<string | number> {
  entry: Entry;
}

/** The values of a window, by when they were held last. */
export interface Distinct {
  readonly last: Recency<string | number, Held>;
  /** Takes the place of the values when there are too many, until the window is empty. */
  sketch: Sketch | null;
  /** The newest event, which evidence shows when only the sketch is left. */
  newest: Entry | null;
}

interface SavedDistinct {
  readonly last: readonly (readonly [value: string | number, entry: Entry])[];
  readonly sketch: Sketch | null;
  readonly newest: Entry | null;
}

/** value_count: different values, compared exactly; above `sizeMax` about how many. */
export function distinctMeasure(thresholds: readonly Threshold[], sizeMax: number): Measure<Distinct> {
  const satisfied = (count: number) => count > 0 && satisfies(thresholds, (value) => compareNumbers(count, value));
  const countOf = ({ last, sketch }: Distinct): number => (sketch ? estimate(sketch) : last.size);
  return {
    create: () => ({ last: new Recency(), sketch: null, newest: null }),
    add: (state, entry) => add(state, entry, sizeMax),
    expire,
    holds: (state) => satisfied(countOf(state)),
    size: ({ last, sketch }) => last.size + (sketch?.size ?? 0),
    events: (state) => (state.sketch ? countOf(state) : spansOf(entriesOf(state.last)).length),
    shown: (state) => (state.sketch ? `about ${countOf(state)}` : String(state.last.size)),
    spans: ({ last, newest }, max) => spansOf(newest ? [newest] : entriesOf(last), max),
    dropped: () => 0,
    early: {
      possible: ({ last, sketch }, waiting) => {
        if (sketch || !satisfied(last.size + waiting.valuesMax)) return false;
        const { values } = waiting;
        if (!satisfied(last.size + values.size)) return false;
        let all = last.size;
        for (const value of values.keys()) if (!last.get(value)) all++;
        return satisfied(all);
      },
      find: (state, waiting, timespanNanos) => {
        const overlay = new Overlay(state.last);
        for (const [at, entry] of waiting.entries()) {
          overlay.add(entry, entry.timeNanos - timespanNanos);
          if (overlay.size > sizeMax) return undefined;
          if (!satisfied(overlay.size)) continue;
          const entries = overlay.entries();
          const events = spansOf(entries).length;
          return { at, events, shown: String(overlay.size), spans: (max) => spansOf(entries, max) };
        }
        return undefined;
      },
    },
    save: ({ last, sketch, newest }): SavedDistinct => {
      return { last: [...last].map(({ key, entry }) => [key, entry] as const), sketch, newest };
    },
    load: (saved) => {
      const { last, sketch, newest } = saved as SavedDistinct;
      const state: Distinct = { last: new Recency(), sketch, newest };
      for (const [key, entry] of last) state.last.add({ key, entry, older: null, newer: null });
      return state;
    },
  };
}

function add(state: Distinct, entry: Entry, sizeMax: number): void {
  const { last } = state;
  for (const value of entry.values) {
    if (state.sketch) {
      addToSketch(state.sketch, value, entry.timeNanos);
      continue;
    }
    const held = last.get(value);
    if (held) {
      held.entry = entry;
      last.touch(held);
    } else last.add({ key: value, entry, older: null, newer: null });
    if (last.size <= sizeMax) continue;
    state.sketch = createSketch();
    for (const { key, entry: each } of last) addToSketch(state.sketch, key, each.timeNanos);
    last.clear();
  }
  state.newest = state.sketch ? entry : null;
}

function expire(state: Distinct, before: bigint): void {
  const { last, sketch } = state;
  for (let held = last.oldest; held && held.entry.timeNanos < before; held = last.oldest) last.delete(held);
  if (!sketch) return;
  expireSketch(sketch, before);
  if (sketch.size === 0) Object.assign(state, { sketch: null, newest: null });
}

function* entriesOf(last: Iterable<Held>): Generator<Entry> {
  for (const { entry } of last) yield entry;
}

/** The spans of events, each once. */
function spansOf(entries: Iterable<Entry>, max = Number.POSITIVE_INFINITY): readonly SpanIdentity[] {
  const known = new SpanSet();
  for (const { span } of entries) {
    if (known.spans.length >= max) break;
    known.add(span);
  }
  return known.spans;
}

/** Values as they would be with more events, without a copy of those that are there. */
class Overlay {
  readonly #below: Recency<string | number, Held>;
  /** The next of `below` to leave the window. */
  #next: Held | null;
  readonly #above = new Recency<string | number, Held>();
  /** Values of `below` that are above, or were. */
  readonly #moved = new Set<string | number>();
  #left: number;

  constructor(below: Recency<string | number, Held>) {
    this.#below = below;
    this.#left = below.size;
    this.#next = below.oldest;
  }

  get size(): number {
    return this.#left + this.#above.size;
  }

  add(entry: Entry, before: bigint): void {
    this.#expire(before);
    for (const key of entry.values) {
      const above = this.#above.get(key);
      if (above) {
        above.entry = entry;
        this.#above.touch(above);
        continue;
      }
      this.#above.add({ key, entry, older: null, newer: null });
      if (this.#moved.has(key)) continue;
      const below = this.#below.get(key);
      if (!below) continue;
      this.#moved.add(key);
      if (below.entry.timeNanos >= before) this.#left--;
    }
  }

  /** The events of the window, earliest first. */
  entries(): Entry[] {
    const entries: Entry[] = [];
    for (let held = this.#next; held; held = held.newer) if (!this.#moved.has(held.key)) entries.push(held.entry);
    return [...entries, ...entriesOf(this.#above)];
  }

  #expire(before: bigint): void {
    for (; this.#next && this.#next.entry.timeNanos < before; this.#next = this.#next.newer) {
      if (!this.#moved.has(this.#next.key)) this.#left--;
    }
    const above = this.#above;
    for (let held = above.oldest; held && held.entry.timeNanos < before; held = above.oldest) above.delete(held);
  }
}
