import type { SpanIdentity } from '../../span-identity.ts';
import type { Entry } from '../event.ts';
import { SpanSet } from '../kept-span.ts';
import type { Measure } from '../measure.ts';
import { addToSketch, createSketch, estimate, expireSketch, type Sketch } from '../sketch.ts';
import { compareNumbers, satisfies, type Threshold } from '../thresholds.ts';
import { Held, HeldOverlay, HeldValues, type SavedHeld } from './held-values.ts';

/** The values of a window, by when they were held last. */
export interface Distinct {
  readonly last: HeldValues;
  /** Takes the place of the values when there are too many, until the window is empty. */
  sketch: Sketch | null;
  /** The newest event, which evidence shows when only the sketch is left. */
  newest: Entry | null;
}

interface SavedDistinct {
  /** Earlier versions wrote more about the events. */
  readonly last: readonly SavedHeld[];
  readonly sketch: Sketch | null;
  readonly newest: Entry | null;
}

/** value_count: different values, compared exactly; above `sizeMax` about how many. */
export function distinctMeasure(thresholds: readonly Threshold[], sizeMax: number): Measure<Distinct> {
  const satisfied = (count: number) => count > 0 && satisfies(thresholds, (value) => compareNumbers(count, value));
  const countOf = ({ last, sketch }: Distinct): number => (sketch ? estimate(sketch) : last.size);
  return {
    create: () => ({ last: new HeldValues(), sketch: null, newest: null }),
    add: (state, entry) => add(state, entry, sizeMax),
    expire,
    holds: (state) => satisfied(countOf(state)),
    size: ({ last, sketch }) => last.size + (sketch?.size ?? 0),
    events: (state) => (state.sketch ? countOf(state) : spansOf(heldSpans(state.last)).length),
    shown: (state) => (state.sketch ? `about ${countOf(state)}` : String(state.last.size)),
    spans: ({ last, newest }, max) => (newest ? [newest.span] : spansOf(heldSpans(last), max).map(Held.copyOf)),
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
        const overlay = new HeldOverlay(state.last);
        for (const [at, entry] of waiting.entries()) {
          overlay.add(entry, entry.timeNanos - timespanNanos);
          if (overlay.size > sizeMax) return undefined;
          if (!satisfied(overlay.size)) continue;
          const spans = spansOf(overlay.spans());
          const shown = String(overlay.size);
          return { at, events: spans.length, shown, spans: (max) => spans.slice(0, max).map(Held.copyOf) };
        }
        return undefined;
      },
    },
    save: ({ last, sketch, newest }): SavedDistinct => {
      return { last: last.saved(), sketch, newest };
    },
    load: (saved) => {
      const { last, sketch, newest } = saved as SavedDistinct;
      const state: Distinct = { last: new HeldValues(), sketch, newest };
      for (const [key, { timeNanos, span }] of last) state.last.hold(key, timeNanos, span);
      return state;
    },
  };
}

function add(state: Distinct, { timeNanos, span, values, members }: Entry, sizeMax: number): void {
  const { last } = state;
  for (const value of values) {
    if (state.sketch) {
      addToSketch(state.sketch, value, timeNanos);
      continue;
    }
    last.hold(value, timeNanos, span);
    if (last.size <= sizeMax) continue;
    state.sketch = createSketch();
    for (const held of last) addToSketch(state.sketch, held.key, held.timeNanos);
    last.clear();
  }
  state.newest = state.sketch ? { timeNanos, span, members, values } : null;
}

function expire(state: Distinct, before: bigint): void {
  const { last, sketch } = state;
  last.expire(before);
  if (!sketch) return;
  expireSketch(sketch, before);
  if (sketch.size === 0) Object.assign(state, { sketch: null, newest: null });
}

function* heldSpans(last: Iterable<Held>): Generator<SpanIdentity> {
  for (const { span } of last) yield span;
}

/** The spans of events, each once. */
function spansOf(spans: Iterable<SpanIdentity>, max = Number.POSITIVE_INFINITY): readonly SpanIdentity[] {
  const known = new SpanSet();
  for (const span of spans) {
    if (known.spans.length >= max) break;
    known.add(span);
  }
  return known.spans;
}
