import { limits } from '../../../model/limits.ts';
import type { SpanIdentity } from '../../span-identity.ts';
import type { CorrelationText } from '../correlation.ts';
import type { Entry } from '../event.ts';
import type { Term } from '../extension.ts';
import type { Change } from '../kind.ts';
import type { Measure } from '../measure.ts';
import { Matching } from '../measures/matching.ts';
import { sequenceMeasure } from '../measures/sequence.ts';
import { type Kind, type KindGroup, openEpisode, updateEpisode } from './grouped.ts';

/** A window for each alternative of a condition in words. */
export type Alternatives = readonly unknown[];

/**
 * The wanted rules of a condition in words: all rules of one alternative have spans of their own in the window, in the order
 * of `rules` where the type asks for it.
 */
export function alternativesMeasure(terms: readonly Term[], ordered: boolean): Measure<Alternatives> {
  const wanted = [...new Set(terms.map((term) => term.wanted))];
  const measures = wanted.map((bits) => termMeasure(placesOf(bits), ordered));
  const holding = (states: Alternatives): number => measures.findIndex((each, index) => each.holds(states[index]));
  const first = <T>(states: Alternatives, read: (measure: Measure<unknown>, state: unknown) => T, none: T): T => {
    const index = holding(states);
    return index < 0 ? none : read(measures[index]!, states[index]);
  };
  return {
    create: () => measures.map((each) => each.create()),
    add: (states, entry) => {
      for (const [index, each] of measures.entries()) each.add(states[index], entry);
    },
    expire: (states, before) => {
      for (const [index, each] of measures.entries()) each.expire(states[index], before);
    },
    holds: (states) => holding(states) >= 0,
    size: (states) => measures.reduce((size, each, index) => size + each.size(states[index]), 0),
    events: (states) => first(states, (each, state) => each.events(state), 0),
    shown: (states) => first(states, (each, state) => `${each.shown(state)} rules matched`, 'nothing'),
    spans: (states, max) => first(states, (each, state) => each.spans(state, max), []),
    dropped: () => 0,
  };
}

function placesOf(bits: number): number[] {
  return Array.from({ length: limits.correlationRulesMax }, (_, place) => place).filter((place) => bits & (1 << place));
}

/** One alternative: entries with the bits of its own rules only, renumbered from 0. */
function termMeasure(places: readonly number[], ordered: boolean): Measure<unknown> {
  const measure = (ordered ? sequenceMeasure(places.length) : allMeasure(places.length)) as Measure<unknown>;
  return {
    ...measure,
    add: (state, entry) => {
      let members = 0;
      for (const [index, place] of places.entries()) if ((entry.members & (1 << place)) !== 0) members |= 1 << index;
      if (members !== 0) measure.add(state, { ...entry, members });
    },
  };
}

/** All of so many rules, in any order. Of spans alike the newest are enough, as many as there are rules. */
function allMeasure(rules: number): Measure<Map<number, Entry[]>> {
  const standing = (alike: Map<number, Entry[]>): readonly Entry[] | undefined => {
    const matching = new Matching([...alike.values()].flat());
    for (let rule = 0; rule < rules; rule++) if (!matching.serve(rule)) return undefined;
    return Array.from({ length: rules }, (_, rule) => matching.of(rule)!);
  };
  return {
    create: () => new Map(),
    add: (alike, entry) => {
      const entries = [...(alike.get(entry.members) ?? []), entry];
      alike.set(entry.members, entries.slice(-rules));
    },
    expire: (alike, before) => {
      for (const [members, entries] of alike) {
        const kept = entries.filter(({ timeNanos }) => timeNanos >= before);
        if (kept.length === 0) alike.delete(members);
        else alike.set(members, kept);
      }
    },
    holds: (alike) => standing(alike) !== undefined,
    size: (alike) => [...alike.values()].reduce((size, entries) => size + entries.length, 0),
    events: () => rules,
    shown: () => String(rules),
    spans: (alike, max) =>
      [...(standing(alike) ?? [])]
        .sort((a, b) => (a.timeNanos < b.timeNanos ? -1 : a.timeNanos > b.timeNanos ? 1 : 0))
        .slice(0, max)
        .map(({ span }) => span),
    dropped: () => 0,
  };
}

/** A span with which the wanted rules of some alternatives were complete; it waits for the end of its window. */
interface Undecided {
  readonly timeNanos: bigint;
  readonly span: SpanIdentity;
  readonly spans: readonly SpanIdentity[];
  readonly events: number;
  /** The alternatives that no unwanted rule has ruled out so far. */
  terms: readonly number[];
}

export interface Extended {
  /** The wanted rules of each alternative. */
  readonly windows: readonly Alternatives[];
  /** When each rule matched last; null for never. */
  readonly seenNanos: (bigint | null)[];
  undecided: Undecided[];
  dropped: number;
}

/**
 * A condition with `not`: the wanted rules as always, and none of the unwanted in the timespan before nor in the timespan
 * after the span that completed them. Only when that is over the answer is known. Spans that are so found within a timespan of
 * each other are one episode.
 */
export function extendedKind(correlation: CorrelationText, terms: readonly Term[]): Kind<Extended> {
  const { timespanNanos, type, rules } = correlation.syntax;
  const measures = terms.map((term) => alternativesMeasure([term], type === 'temporal_ordered'));
  const unwanted = terms.map((term) => placesOf(term.unwanted));
  return {
    idleNanos: timespanNanos * 2n,
    create: () => ({
      windows: measures.map((each) => each.create()),
      seenNanos: rules.map(() => null),
      undecided: [],
      dropped: 0,
    }),
    add: (group, { timeNanos, span, members, values }) => {
      const { state } = group;
      const entry: Entry = { timeNanos, span, members, values };
      for (const place of placesOf(members)) state.seenNanos[place] = timeNanos;
      rule(state, (term) => (terms[term]!.unwanted & members) !== 0);
      for (const [index, measure] of measures.entries()) {
        measure.expire(state.windows[index]!, timeNanos - timespanNanos);
        measure.add(state.windows[index]!, entry);
      }
      const alive = [...terms.keys()].filter(
        (term) =>
          (terms[term]!.wanted & members) !== 0 &&
          measures[term]!.holds(state.windows[term]!) &&
          unwanted[term]!.every((place) => !isSince(state.seenNanos[place]!, timeNanos - timespanNanos)),
      );
      if (alive.length === 0) return undefined;
      const window = state.windows[alive[0]!]!;
      const measure = measures[alive[0]!]!;
      if (state.undecided.length >= limits.correlationUndecidedMax) state.dropped++;
      else {
        const spans = measure.spans(window, limits.evidenceItemsMax - 1);
        state.undecided.push({ timeNanos, span, spans, events: measure.events(window), terms: alive });
      }
      group.dueNanos = dueOf(state, timespanNanos);
      return undefined;
    },
    close: (group, timeNanos) => {
      const { state } = group;
      const changes: Change[] = [];
      while (state.undecided[0] && state.undecided[0].timeNanos + timespanNanos < timeNanos) {
        changes.push(decide(correlation, group, state.undecided.shift()!));
      }
      group.dueNanos = dueOf(state, timespanNanos);
      return changes;
    },
    size: ({ windows, undecided }) =>
      windows.reduce((size, window, index) => size + measures[index]!.size(window), 1 + undecided.length),
    dropped: ({ dropped }) => dropped,
  };
}

/** Takes alternatives from all that waits; what has none left waits no more. */
function rule(state: Extended, out: (term: number) => boolean): void {
  for (const each of state.undecided) each.terms = each.terms.filter((term) => !out(term));
  state.undecided = state.undecided.filter(({ terms }) => terms.length > 0);
}

/** Both ends of the window count, so it is over just after its end. */
function dueOf({ undecided }: Extended, timespanNanos: bigint): bigint {
  return undecided[0] === undefined ? 0n : undecided[0].timeNanos + timespanNanos + 1n;
}

function decide(correlation: CorrelationText, group: KindGroup<Extended>, found: Undecided): Change {
  const { timeNanos, span, spans, events } = found;
  const { episode } = group;
  const shown = `${events} rules matched and the others did not`;
  if (episode && timeNanos - episode.lastSeenNanos <= correlation.syntax.timespanNanos) {
    return updateEpisode(episode, timeNanos, 1, shown);
  }
  return openEpisode(correlation, group, span, timeNanos, { spans, count: events, shown });
}

function isSince(timeNanos: bigint | null, sinceNanos: bigint): boolean {
  return timeNanos !== null && timeNanos >= sinceNanos;
}
