import type { Entry } from '../event.ts';
import { findByTrial, type Measure } from '../measure.ts';
import { compareNumbers, satisfies, type Threshold } from '../thresholds.ts';
import { Matching } from './matching.ts';

/**
 * The newest events for each set of rules that a span can match at once. As many of a kind as there are rules are enough to
 * know how many rules find a span of their own.
 */
export interface Sets {
  readonly byMembers: Map<number, Entry[]>;
}

/** temporal: how many different rules have a span of their own in the window. */
export function setMeasure(thresholds: readonly Threshold[], rules: number): Measure<Sets> {
  const measure: Measure<Sets> = {
    create: () => ({ byMembers: new Map() }),
    add: ({ byMembers }, entry) => {
      const alike = byMembers.get(entry.members) ?? [];
      byMembers.set(entry.members, alike);
      alike.push(entry);
      if (alike.length > rules) alike.shift();
    },
    expire: ({ byMembers }, before) => {
      for (const [members, alike] of byMembers) {
        while (alike.length > 0 && alike[0]!.timeNanos < before) alike.shift();
        if (alike.length === 0) byMembers.delete(members);
      }
    },
    holds: (sets) => {
      const { length } = standingFor(sets, rules);
      return length > 0 && satisfies(thresholds, (value) => compareNumbers(length, value));
    },
    size: ({ byMembers }) => [...byMembers.values()].reduce((size, alike) => size + alike.length, 0),
    events: (sets) => standingFor(sets, rules).length,
    shown: (sets) => String(standingFor(sets, rules).length),
    spans: (sets, max) =>
      standingFor(sets, rules)
        .sort((a, b) => (a.timeNanos < b.timeNanos ? -1 : a.timeNanos > b.timeNanos ? 1 : 0))
        .slice(0, max)
        .map(({ span }) => span),
    dropped: () => 0,
  };
  return {
    ...measure,
    early: {
      possible: ({ byMembers }, waiting) => {
        let members = waiting.members;
        for (const each of byMembers.keys()) members |= each;
        return satisfies(thresholds, (value) => compareNumbers(bitsOf(members), value));
      },
      find: ({ byMembers }, waiting, timespanNanos) => {
        const copy = { byMembers: new Map([...byMembers].map(([members, alike]) => [members, [...alike]])) };
        return findByTrial(measure, copy, waiting, timespanNanos);
      },
    },
  };
}

function bitsOf(members: number): number {
  let bits = 0;
  for (let left = members; left !== 0; left &= left - 1) bits++;
  return bits;
}

/** One event for each rule that has one. */
function standingFor({ byMembers }: Sets, rules: number): Entry[] {
  const matching = new Matching([...byMembers.values()].flat());
  const served = Array.from({ length: rules }, (_, rule) => rule).filter((rule) => matching.serve(rule));
  return served.map((rule) => matching.of(rule)!);
}
