import type { SpanIdentity } from '../../span-identity.ts';
import type { Entry } from '../event.ts';
import type { Measure } from '../measure.ts';
import { addToSketch, createSketch, estimate, expireSketch, type Sketch } from '../sketch.ts';
import { compareNumbers, satisfies, type Threshold } from '../thresholds.ts';

/** The values of a window, each with the event that held it last; the one seen longest ago comes first. */
export interface Distinct {
  readonly last: Map<string | number, Entry>;
  /** Takes the place of the values when there are too many, until the window is empty. */
  sketch: Sketch | null;
  /** The newest event, which evidence shows when only the sketch is left. */
  newest: Entry | null;
}

/** value_count: different values, compared exactly; above `sizeMax` about how many. */
export function distinctMeasure(thresholds: readonly Threshold[], sizeMax: number): Measure<Distinct> {
  const satisfied = (count: number) => count > 0 && satisfies(thresholds, (value) => compareNumbers(count, value));
  const countOf = ({ last, sketch }: Distinct): number => (sketch ? estimate(sketch) : last.size);
  return {
    create: () => ({ last: new Map(), sketch: null, newest: null }),
    add: (state, entry) => {
      const { last } = state;
      for (const value of entry.values) {
        if (state.sketch) addToSketch(state.sketch, value, entry.timeNanos);
        else {
          last.delete(value);
          last.set(value, entry);
          if (last.size > sizeMax) sketched(state);
        }
      }
      state.newest = state.sketch ? entry : null;
    },
    expire: (state, before) => {
      const { last, sketch } = state;
      for (const [value, { timeNanos }] of last) {
        if (timeNanos >= before) break;
        last.delete(value);
      }
      if (!sketch) return;
      expireSketch(sketch, before);
      if (sketch.size === 0) Object.assign(state, { sketch: null, newest: null });
    },
    holds: (state) => satisfied(countOf(state)),
    size: ({ last, sketch }) => last.size + (sketch?.size ?? 0),
    events: (state) => (state.sketch ? countOf(state) : spansOf(state.last.values()).length),
    shown: (state) => (state.sketch ? `about ${countOf(state)}` : String(state.last.size)),
    spans: ({ last, newest }, max) => spansOf(newest ? [newest] : last.values(), max),
    dropped: () => 0,
    early: {
      possible: ({ last, sketch }, waiting) => sketch === null && satisfied(last.size + waiting.values),
      find: (state, waiting, timespanNanos) => {
        const overlay = new Overlay(state.last);
        for (const [at, entry] of waiting.entries()) {
          overlay.add(entry, entry.timeNanos - timespanNanos);
          if (overlay.size > sizeMax) return undefined;
          if (!satisfied(overlay.size)) continue;
          const entries = overlay.entries();
          return {
            at,
            events: spansOf(entries).length,
            shown: String(overlay.size),
            spans: (max) => spansOf(entries, max),
          };
        }
        return undefined;
      },
    },
  };
}

function sketched(state: Distinct): void {
  state.sketch = createSketch();
  for (const [value, { timeNanos }] of state.last) addToSketch(state.sketch, value, timeNanos);
  state.last.clear();
}

/** The spans of events, each once. */
function spansOf(entries: Iterable<Entry>, max = Number.POSITIVE_INFINITY): SpanIdentity[] {
  const spans = new Map<string, SpanIdentity>();
  for (const { span } of entries) {
    if (spans.size >= max) break;
    const id = span.traceId + span.spanId;
    if (!spans.has(id)) spans.set(id, span);
  }
  return [...spans.values()];
}

/** Values as they would be with more events, without a copy of those that are there. */
class Overlay {
  readonly #below: ReadonlyMap<string | number, Entry>;
  readonly #expiring: MapIterator<[string | number, Entry]>;
  /** The next of `below` to leave the window. */
  #next: readonly [value: string | number, entry: Entry] | undefined;
  readonly #last = new Map<string | number, Entry>();
  /** Values of `below` that are in the overlay, or were. */
  readonly #moved = new Set<string | number>();
  #left: number;
  #before = 0n;

  constructor(below: ReadonlyMap<string | number, Entry>) {
    this.#below = below;
    this.#left = below.size;
    this.#expiring = below.entries();
    this.#next = this.#expiring.next().value;
  }

  get size(): number {
    return this.#left + this.#last.size;
  }

  add(entry: Entry, before: bigint): void {
    this.#expire(before);
    for (const value of entry.values) {
      this.#last.delete(value);
      this.#last.set(value, entry);
      if (this.#moved.has(value)) continue;
      const known = this.#below.get(value);
      if (!known) continue;
      this.#moved.add(value);
      if (known.timeNanos >= before) this.#left--;
    }
  }

  /** The events of the window, earliest first. */
  entries(): Entry[] {
    const entries: Entry[] = [];
    for (const [value, entry] of this.#below) {
      if (entry.timeNanos >= this.#before && !this.#moved.has(value)) entries.push(entry);
    }
    return [...entries, ...this.#last.values()];
  }

  #expire(before: bigint): void {
    this.#before = before;
    while (this.#next && this.#next[1].timeNanos < before) {
      if (!this.#moved.has(this.#next[0])) this.#left--;
      this.#next = this.#expiring.next().value;
    }
    for (const [value, { timeNanos }] of this.#last) {
      if (timeNanos >= before) return;
      this.#last.delete(value);
    }
  }
}
