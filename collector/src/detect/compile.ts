import type { FieldTable } from '../model/fields.ts';
import type { Evidence } from '../model/finding.ts';
import { limits } from '../model/limits.ts';
import { rot13Words } from '../text/decode-text.ts';
import { evidenceOf, shownEvidence } from './evidence.ts';
import { branch, type Explanation, explainItem, type ItemParts } from './explanation.ts';
import { createLiteralScanner, type LiteralScanner, type MatcherGroup } from './literal-scanner.ts';
import type { Rule } from './load.ts';
import { type Matcher, Member } from './matcher.ts';
import { type Cursor, createReaders, type Reader } from './reader.ts';
import type { Detection, FieldRefMode, FieldTest, ItemTest, Search } from './resolve.ts';
import { Screen } from './route/screen.ts';
import type { Condition } from './rule.ts';
import { TextViews } from './views.ts';

/**
 * A piece of a rule as code. `collect` says why `test` was true; it is only asked then. `explain` asks every part, also
 * those that `test` need not look at, and leaves to `test` what each item says.
 */
export interface Node {
  test(cursor: Cursor): boolean;
  collect(cursor: Cursor, evidence: Evidence[]): void;
  explain(cursor: Cursor): Explanation;
}

/** A rule as code: what it says, and the filters that may take a match away. As a node it is both. */
export interface RuleNode extends Node {
  readonly main: Node;
  /** In the order of the rule's `filters`; each lets pass what it tests true. */
  readonly filters: readonly Node[];
}

/** What the rules of a detector share: one reader per field, one search for literals, and one look at the bytes of attributes. */
export interface Shared {
  readonly readerOf: (field: string) => Reader;
  readonly scanner: LiteralScanner;
  readonly screen: Screen;
}

export function createShared(fields: FieldTable): Shared {
  const scanner = createLiteralScanner();
  const turned = new Set(rot13Words.map((word) => scanner.add(word)));
  const views = new TextViews((member) => {
    const { hits, traits } = scanner.look(member);
    return { traits, mayTurn: hits.some((id) => turned.has(id)) };
  });
  const { readerOf, afresh } = createReaders(fields, views, scanner.look);
  return {
    readerOf,
    scanner: { ...scanner, afresh: (work) => scanner.afresh(() => afresh(work)) },
    screen: new Screen(),
  };
}

/**
 * Turns a loaded rule into closures over field ids. They are made when the rule is first asked, which most of many rules never
 * are; the fields and texts that they look for are made known at once.
 */
export function compileRule(rule: Rule, shared: Shared): RuleNode {
  for (const { searches } of [rule.detection, ...rule.filters]) {
    for (const search of searches.values()) expectSearch(search, shared);
  }
  return new LazyRule(rule, shared);
}

class LazyRule implements RuleNode {
  readonly #rule: Rule;
  readonly #shared: Shared;
  #made: RuleNode | undefined;

  constructor(rule: Rule, shared: Shared) {
    this.#rule = rule;
    this.#shared = shared;
  }

  get main(): Node {
    return this.#node().main;
  }

  get filters(): readonly Node[] {
    return this.#node().filters;
  }

  test(cursor: Cursor): boolean {
    return this.#node().test(cursor);
  }

  collect(cursor: Cursor, evidence: Evidence[]): void {
    this.#node().collect(cursor, evidence);
  }

  explain(cursor: Cursor): Explanation {
    return this.#node().explain(cursor);
  }

  #node(): RuleNode {
    this.#made ??= makeRule(this.#rule, this.#shared);
    return this.#made;
  }
}

function expectSearch(search: Search, shared: Shared): void {
  if (search.kind !== 'item') {
    for (const part of search.parts) expectSearch(part, shared);
    return;
  }
  const { field, test } = search.item;
  shared.readerOf(field);
  if (test.kind === 'fieldref') shared.readerOf(test.other);
  if (test.kind === 'values') for (const group of test.groups) shared.scanner.expect(group);
}

function makeRule(rule: Rule, shared: Shared): RuleNode {
  const main = compileDetection(rule.detection, shared);
  const filters = rule.filters.map((filter) => compileDetection(filter, shared, 'filter'));
  if (filters.length === 0) return { ...main, main, filters };
  return { ...allOf([main, ...filters]), collect: main.collect, main, filters };
}

function compileDetection(detection: Detection, shared: Shared, kind: 'condition' | 'filter' = 'condition'): Node {
  const single = detection.conditions.length === 1;
  const queries = detection.conditions.map(({ root, text }, index) => {
    const suffix = single ? '' : ` (condition ${index + 1})`;
    const nodes = new Map<string, Node>();
    for (const [name, search] of detection.searches) {
      nodes.set(name, named('selection', name, compileSearch(search, shared, suffix)));
    }
    return named(kind, text, compileCondition(root, nodes));
  });
  return queries.length === 1 ? queries[0]! : anyOf(queries);
}

function compileCondition(condition: Condition, nodes: ReadonlyMap<string, Node>): Node {
  if (condition.kind === 'identifier') return nodes.get(condition.name)!;
  if (condition.kind === 'not') {
    const part = compileCondition(condition.part, nodes);
    return {
      test: (cursor) => !part.test(cursor),
      collect: () => {},
      explain: (cursor) => {
        const explained = part.explain(cursor);
        return branch('not', '', !explained.matched, [explained]);
      },
    };
  }
  if (condition.kind === 'of') {
    const parts = condition.names.map((name) => nodes.get(name)!);
    return atLeast(condition.count, parts, condition.written);
  }
  const parts = condition.parts.map((part) => compileCondition(part, nodes));
  return condition.kind === 'and' ? allOf(parts) : anyOf(parts);
}

function compileSearch(search: Search, shared: Shared, suffix: string): Node {
  if (search.kind === 'item') {
    return compileItem({ ...search.item, selection: search.item.selection + suffix }, shared);
  }
  const parts = search.parts.map((part) => compileSearch(part, shared, suffix));
  return search.kind === 'all' ? allOf(parts) : anyOf(parts);
}

function allOf(parts: readonly Node[]): Node {
  return {
    test: (cursor) => {
      for (const part of parts) if (!part.test(cursor)) return false;
      return true;
    },
    collect: (cursor, evidence) => {
      for (const part of parts) part.collect(cursor, evidence);
    },
    explain: (cursor) => {
      const explained = parts.map((part) => part.explain(cursor));
      return branch('and', '', explained.every(isMatched), explained);
    },
  };
}

function anyOf(parts: readonly Node[]): Node {
  return {
    test: (cursor) => {
      for (const part of parts) if (part.test(cursor)) return true;
      return false;
    },
    collect: (cursor, evidence) => collectTrue(parts, cursor, evidence),
    explain: (cursor) => {
      const explained = parts.map((part) => part.explain(cursor));
      return branch('or', '', explained.some(isMatched), explained);
    },
  };
}

function atLeast(count: number, parts: readonly Node[], written: string): Node {
  return {
    test: (cursor) => {
      let missing = count;
      for (const part of parts) if (part.test(cursor) && --missing === 0) return true;
      return false;
    },
    collect: (cursor, evidence) => collectTrue(parts, cursor, evidence),
    explain: (cursor) => {
      const explained = parts.map((part) => part.explain(cursor));
      return branch('of', written, explained.filter(isMatched).length >= count, explained);
    },
  };
}

function isMatched({ matched }: Explanation): boolean {
  return matched;
}

/** The same node, said with its name. */
function named(kind: 'condition' | 'filter' | 'selection', name: string, node: Node): Node {
  return {
    test: node.test,
    collect: node.collect,
    explain: (cursor) => {
      const explained = node.explain(cursor);
      return branch(kind, name, explained.matched, [explained]);
    },
  };
}

function collectTrue(parts: readonly Node[], cursor: Cursor, evidence: Evidence[]): void {
  for (const part of parts) if (part.test(cursor)) part.collect(cursor, evidence);
}

/** An item as code, but for its explanation. */
type Leaf = Omit<Node, 'explain'>;

/** One item of a rule, also for those who link items in another way. */
export function compileItem(item: ItemTest, shared: Shared): Node {
  const { test } = item;
  const reader = shared.readerOf(item.field);
  const explained = (leaf: Leaf, more: Partial<ItemParts> = {}): Node => ({
    ...leaf,
    explain: (cursor) => explainItem({ item, reader, ...more }, cursor, leaf.test(cursor)),
  });
  const add = (evidence: Evidence[], wanted: string, member?: Member, matcher?: Matcher): void => {
    if (evidence.length >= limits.evidenceItemsMax) return;
    if (member && matcher?.show) {
      evidence.push(shownEvidence(item, wanted, matcher.show(member)));
      return;
    }
    const text = member?.text ?? '';
    const range = (member && matcher?.find?.(member)) ?? { start: 0, end: text.length };
    evidence.push(evidenceOf(item, wanted, text, range));
  };
  if (test.kind === 'exists') return explained(compileExists(test.wanted, reader, add));
  if (test.kind === 'null') return explained(compileNull(test.negate, reader, add));
  if (test.kind === 'fieldref') {
    const other = shared.readerOf(test.other);
    return explained(compileFieldRef(test, reader, other, add), { other });
  }
  const groups = test.groups.map((group) => shared.scanner.group(group));
  return explained(compileValues(groups, test.negate, reader, add), { groups: groups.map(({ matchers }) => matchers) });
}

function compileExists(wanted: boolean, reader: Reader, add: Add): Leaf {
  return {
    test: (cursor) => reader.has(cursor) === wanted,
    collect: (cursor, evidence) => {
      const texts = reader.read(cursor)?.map((member) => member.text);
      add(evidence, wanted ? 'exists' : 'is absent', texts && new Member(texts.join(', ')));
    },
  };
}

function compileNull(negate: boolean, reader: Reader, add: Add): Leaf {
  const isNull = (members: readonly Member[]): boolean => members.some((member) => member.value === null);
  return {
    test: (cursor) => {
      const members = reader.read(cursor);
      return negate ? members !== undefined && !isNull(members) : members === undefined || isNull(members);
    },
    collect: (cursor, evidence) => add(evidence, negate ? 'is not null' : 'is null', reader.read(cursor)?.[0]),
  };
}

function compileFieldRef(
  { other: name, mode, negate }: Extract<FieldTest, { kind: 'fieldref' }>,
  reader: Reader,
  other: Reader,
  add: Add,
): Leaf {
  return {
    test: (cursor) => {
      const members = reader.read(cursor);
      const others = other.read(cursor);
      if (!members || !others) return false;
      return members.some((a) => others.some((b) => related(a, b, mode))) !== negate;
    },
    collect: (cursor, evidence) => {
      const wanted = `${negate ? 'differs from' : mode} ${name}`;
      const others = other.read(cursor) ?? [];
      const members = reader.read(cursor) ?? [];
      add(evidence, wanted, members.find((a) => others.some((b) => related(a, b, mode))) ?? members[0]);
    },
  };
}

function related(a: Member, b: Member, mode: FieldRefMode): boolean {
  if (a.value === null || b.value === null) return false;
  if (mode === 'contains') return a.folded.includes(b.folded);
  if (mode === 'startswith') return a.folded.startsWith(b.folded);
  return mode === 'endswith' ? a.folded.endsWith(b.folded) : a.folded === b.folded;
}

type Add = (evidence: Evidence[], wanted: string, member?: Member, matcher?: Matcher) => void;

function compileValues(groups: readonly MatcherGroup[], negate: boolean, reader: Reader, add: Add): Leaf {
  return {
    test: (cursor) => {
      if (!reader.has(cursor)) return false;
      for (const group of groups) if (reader.first(cursor, group) === undefined) return negate;
      return !negate;
    },
    collect: (cursor, evidence) => {
      if (negate) {
        const matcher = groups[0]?.matchers[0];
        add(evidence, `not: ${matcher?.wanted ?? ''}`, reader.read(cursor)?.[0]);
        return;
      }
      for (const group of groups) {
        const member = reader.first(cursor, group);
        const matcher = member && group.matchers.find((each) => each.test(member));
        if (matcher) add(evidence, matcher.wanted, member, matcher);
      }
    },
  };
}
