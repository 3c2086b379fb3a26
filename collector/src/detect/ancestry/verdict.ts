import type { Detection, ItemTest, Search } from '../resolve.ts';
import type { Condition } from '../rule.ts';

/** 1 holds, 0 does not, `unknown` cannot be said yet. */
export type Verdict = 0 | 1 | -1;
export const unknown: Verdict = -1;

/** What an item says, by its place in the list of leaves. */
export type LeafVerdicts = (leaf: number) => Verdict;

/** A condition over leaves, in three-valued logic: what is said once stays so, whatever becomes known later. */
export type Tree =
  | { readonly kind: 'leaf'; readonly leaf: number }
  | { readonly kind: 'not'; readonly part: Tree }
  /** At least `count` of the parts: all of them is `and`, one is `or`. */
  | { readonly kind: 'of'; readonly count: number; readonly parts: readonly Tree[] };

export interface Trees {
  /** The rule with its filters. */
  readonly whole: Tree;
  /** The rule's own part: filters are no evidence. */
  readonly main: Tree;
  readonly filters: readonly Tree[];
  readonly leaves: readonly ItemTest[];
}

/** The conditions of a rule and its filters as one tree; an identifier that stands twice has its leaves once. */
export function treesOf(detection: Detection, filters: readonly Detection[]): Trees {
  const leaves: ItemTest[] = [];
  const main = detectionTree(detection, leaves);
  const filterTrees = filters.map((filter) => detectionTree(filter, leaves));
  return { whole: allOf([main, ...filterTrees]), main, filters: filterTrees, leaves };
}

export function decide(tree: Tree, verdictOf: LeafVerdicts): Verdict {
  if (tree.kind === 'leaf') return verdictOf(tree.leaf);
  if (tree.kind === 'not') {
    const verdict = decide(tree.part, verdictOf);
    return verdict === unknown ? unknown : verdict === 1 ? 0 : 1;
  }
  let held = 0;
  let possible = tree.parts.length;
  for (const part of tree.parts) {
    const verdict = decide(part, verdictOf);
    if (verdict === 1 && ++held === tree.count) return 1;
    if (verdict === 0 && --possible < tree.count) return 0;
  }
  return unknown;
}

/** The leaves that make a tree hold: what stands below `not` proves nothing by itself. */
export function holdingLeaves(tree: Tree, verdictOf: LeafVerdicts): readonly number[] {
  if (tree.kind === 'leaf') return verdictOf(tree.leaf) === 1 ? [tree.leaf] : [];
  if (tree.kind === 'not') return [];
  return tree.parts.flatMap((part) => (decide(part, verdictOf) === 1 ? holdingLeaves(part, verdictOf) : []));
}

/** The leaves that evidence may name: those not below a `not`. */
export function provingLeaves(tree: Tree): ReadonlySet<number> {
  if (tree.kind === 'leaf') return new Set([tree.leaf]);
  if (tree.kind === 'not') return new Set();
  return new Set(tree.parts.flatMap((part) => [...provingLeaves(part)]));
}

function detectionTree({ searches, conditions }: Detection, leaves: ItemTest[]): Tree {
  const queries = conditions.map(({ root }, index) => {
    const suffix = conditions.length === 1 ? '' : ` (condition ${index + 1})`;
    const trees = new Map<string, Tree>();
    for (const [name, search] of searches) trees.set(name, searchTree(search, suffix, leaves));
    return conditionTree(root, trees);
  });
  return anyOf(queries);
}

function conditionTree(condition: Condition, trees: ReadonlyMap<string, Tree>): Tree {
  if (condition.kind === 'identifier') return trees.get(condition.name)!;
  if (condition.kind === 'not') return { kind: 'not', part: conditionTree(condition.part, trees) };
  if (condition.kind === 'of') {
    return { kind: 'of', count: condition.count, parts: condition.names.map((name) => trees.get(name)!) };
  }
  const parts = condition.parts.map((part) => conditionTree(part, trees));
  return condition.kind === 'and' ? allOf(parts) : anyOf(parts);
}

function searchTree(search: Search, suffix: string, leaves: ItemTest[]): Tree {
  if (search.kind === 'item') {
    const leaf = leaves.push({ ...search.item, selection: search.item.selection + suffix }) - 1;
    return { kind: 'leaf', leaf };
  }
  const parts = search.parts.map((part) => searchTree(part, suffix, leaves));
  return search.kind === 'all' ? allOf(parts) : anyOf(parts);
}

function allOf(parts: readonly Tree[]): Tree {
  return parts.length === 1 ? parts[0]! : { kind: 'of', count: parts.length, parts };
}

function anyOf(parts: readonly Tree[]): Tree {
  return parts.length === 1 ? parts[0]! : { kind: 'of', count: 1, parts };
}
