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
      const standing = countOf(sets, rules);
      return standing > 0 && satisfies(thresholds, (value) => compareNumbers(standing, value));
    },
    size: ({ byMembers }) => {
      let size = 0;
      for (const alike of byMembers.values()) size += alike.length;
      return size;
    },
    events: (sets) => countOf(sets, rules),
    shown: (sets) => String(countOf(sets, rules)),
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

/** How many rules have a span of their own. Where each span matches one rule nothing is to be shared out. */
function countOf(sets: Sets, rules: number): number {
  let all = 0;
  for (const members of sets.byMembers.keys()) {
    if ((members & (members - 1)) !== 0) return standingFor(sets, rules).length;
    all |= members;
  }
  return bitsOf(all);
}

/** One event for each rule that has one. */
function standingFor({ byMembers }: Sets, rules: number): Entry[] {
  const matching = new Matching([...byMembers.values()].flat());
  const served = Array.from({ length: rules }, (_, rule) => rule).filter((rule) => matching.serve(rule));
  return served.map((rule) => matching.of(rule)!);
}
