import { limits } from '../../../model/limits.ts';
import type { Condition } from '../../rule.ts';
import type { Term } from '../extension.ts';

/**
 * A condition over rules as alternatives (disjunctive normal form). Alternatives that ask for more than another, or for a rule
 * and its absence, are left out. `too_many` past `limits.correlationTermsMax`.
 */
export function termsOf(condition: Condition, rules: readonly string[]): readonly Term[] | 'too_many' {
  try {
    return simplest(expand(condition, false, rules));
  } catch (error) {
    if (error instanceof TooMany) return 'too_many';
    throw error;
  }
}

class TooMany extends Error {}

function expand(condition: Condition, negated: boolean, rules: readonly string[]): Term[] {
  switch (condition.kind) {
    case 'identifier': {
      const bit = 1 << rules.indexOf(condition.name);
      return [negated ? { wanted: 0, unwanted: bit } : { wanted: bit, unwanted: 0 }];
    }
    case 'not':
      return expand(condition.part, !negated, rules);
    case 'of':
      return expand(countOf(condition.names, condition.count), negated, rules);
    case 'and':
    case 'or': {
      const parts = condition.parts.map((part) => expand(part, negated, rules));
      const joined = (condition.kind === 'and') !== negated;
      return joined ? parts.reduce(product, [{ wanted: 0, unwanted: 0 }]) : simplest(parts.flat());
    }
  }
}

/** At least `count` of the names: any one of them and enough of those after it. */
function countOf(names: readonly string[], count: number): Condition {
  if (count <= 1) return { kind: 'or', parts: names.map((name) => ({ kind: 'identifier', name })) };
  const parts = names.slice(0, names.length - count + 1).map(
    (name, index): Condition => ({
      kind: 'and',
      parts: [{ kind: 'identifier', name }, countOf(names.slice(index + 1), count - 1)],
    }),
  );
  return { kind: 'or', parts };
}

function product(left: readonly Term[], right: readonly Term[]): Term[] {
  if (left.length * right.length > limits.correlationTermsMax * 16) throw new TooMany();
  return simplest(
    left.flatMap((a) => right.map((b) => ({ wanted: a.wanted | b.wanted, unwanted: a.unwanted | b.unwanted }))),
  );
}

function simplest(terms: readonly Term[]): Term[] {
  const possible = terms.filter(({ wanted, unwanted }) => (wanted & unwanted) === 0);
  const kept = possible.filter(
    (term, index) => !possible.some((other, place) => place !== index && asksLess(other, term, place < index)),
  );
  if (kept.length > limits.correlationTermsMax) throw new TooMany();
  return kept;
}

/** Whether `a` makes `b` needless; of two that say the same the first stays. */
function asksLess(a: Term, b: Term, first: boolean): boolean {
  const within = (a.wanted & ~b.wanted) === 0 && (a.unwanted & ~b.unwanted) === 0;
  return within && (first || a.wanted !== b.wanted || a.unwanted !== b.unwanted);
}
