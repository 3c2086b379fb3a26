import { limits } from '../../model/limits.ts';
import type { Detection, FieldTest, ItemTest, Search } from '../resolve.ts';
import type { Condition } from '../rule.ts';
import type { View } from '../views.ts';

/** Something that can be seen of a span without testing a rule: a field is there, or a text stands in one of its members. */
export interface Witness {
  readonly field: string;
  /** The form of the members in which the text stands; undefined for the members as they are. */
  readonly view?: View;
  /** Folded; undefined when the field only has to be there. */
  readonly literal: string | undefined;
  /** Folded texts: of each set one has to stand there, too, `literal` among them; left out where that is all. */
  readonly needs?: readonly (readonly string[])[];
}

/** A rule can only match a span that shows at least one of them. */
export type Witnesses = readonly Witness[];

/**
 * The witnesses of a rule: of all sets that could be taken, one that few spans show. Undefined when a span may match without
 * showing anything, as for conditions that only say what must not be.
 */
export function witnessesOf(detection: Detection): Witnesses | undefined {
  const searches = new Map<string, Witnesses | undefined>();
  for (const [name, search] of detection.searches) searches.set(name, ofSearch(search));
  return anyOf(detection.conditions.map(({ root }) => ofCondition(root, searches)));
}

function ofCondition(
  condition: Condition,
  searches: ReadonlyMap<string, Witnesses | undefined>,
): Witnesses | undefined {
  switch (condition.kind) {
    case 'identifier':
      return searches.get(condition.name);
    case 'not':
      return undefined;
    case 'and':
      return best(condition.parts.map((part) => ofCondition(part, searches)));
    case 'or':
      return anyOf(condition.parts.map((part) => ofCondition(part, searches)));
    case 'of': {
      // Of n parts of which `count` hold, any n - count + 1 hold one at least.
      const parts = condition.names.map((name) => searches.get(name)).sort((a, b) => frequency(a) - frequency(b));
      return anyOf(parts.slice(0, parts.length - condition.count + 1));
    }
  }
}

function ofSearch(search: Search): Witnesses | undefined {
  if (search.kind === 'item') return ofItem(search.item);
  const parts = search.parts.map(ofSearch);
  return search.kind === 'all' ? best(parts) : anyOf(parts);
}

function ofItem({ field, test }: ItemTest): Witnesses | undefined {
  const present: Witnesses = [{ field, literal: undefined }];
  if (test.kind === 'exists') return test.wanted ? present : undefined;
  if (test.kind === 'null') return test.negate ? present : undefined;
  if (test.kind === 'fieldref' || test.negate) return present;
  return best(test.groups.map((group) => ofGroup(field, group) ?? present)) ?? present;
}

type Group = Extract<FieldTest, { kind: 'values' }>['groups'][number];

function ofGroup(field: string, group: Group): Witnesses | undefined {
  return anyOf(
    group.map(({ required, view }) => {
      const more = {
        ...(view !== undefined && { view }),
        ...(required.length > 1 && { needs: required }),
      };
      return best(
        required.map((set) =>
          (set.length === 1 ? set : [...new Set(set)]).map((literal): Witness => ({ field, literal, ...more })),
        ),
      );
    }),
  );
}

/** One of them must hold, whichever: the witnesses of all. */
function anyOf(parts: readonly (Witnesses | undefined)[]): Witnesses | undefined {
  const all: Witness[] = [];
  for (const part of parts) {
    if (part === undefined || all.length + part.length > limits.witnessesPerRuleMax) return undefined;
    if (parts.length === 1) return part;
    for (const witness of part) all.push(witness);
  }
  return all;
}

/** All of them hold: the one that is seldom true is enough. */
function best(parts: readonly (Witnesses | undefined)[]): Witnesses | undefined {
  if (parts.length < 2) return parts[0];
  let rarest: Witnesses | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const part of parts) {
    const own = frequency(part);
    if (own < least) [rarest, least] = [part, own];
  }
  return rarest;
}

/** A guess at the share of spans that show one of the witnesses. Wrong guesses cost time, nothing else. */
function frequency(witnesses: Witnesses | undefined): number {
  if (witnesses === undefined) return Number.POSITIVE_INFINITY;
  let none = 1;
  for (const witness of witnesses) none *= 1 - frequencyOf(witness);
  return 1 - none;
}

function frequencyOf({ field, literal }: Witness): number {
  if (literal === undefined) return 0.5;
  const share = shares[literal.length] ?? 0.003;
  // Short fields that name things hold one of a few values, whatever their length.
  if (!field.startsWith('spanwarden.')) return Math.max(share, commonLabels.has(field) ? 0.9 : 0.08);
  // Looking into texts costs more than into the short values that were found in them.
  return field.startsWith('spanwarden.text.') ? Math.min(1, share * 1.5) : share;
}

/** Of members, by the length of a literal that stands in them. */
const shares: readonly number[] = [1, 0.9, 0.5, 0.15, 0.04, 0.015, 0.008, 0.005];

const commonLabels = new Set([
  'gen_ai.operation.name',
  'gen_ai.provider.name',
  'span.kind',
  'span.status_code',
  'span.name',
]);
