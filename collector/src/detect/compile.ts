import type { FieldTable } from '../model/fields.ts';
import type { Evidence } from '../model/finding.ts';
import { limits } from '../model/limits.ts';
import { evidenceOf } from './evidence.ts';
import { createLiteralScanner, type LiteralScanner } from './literal-scanner.ts';
import type { Rule } from './load.ts';
import { type Matcher, Member } from './matcher.ts';
import { type Cursor, createReaders, type Reader } from './reader.ts';
import type { Detection, FieldRefMode, ItemTest, Search } from './resolve.ts';
import type { Condition } from './rule.ts';

/** A piece of a rule as code. `collect` says why `test` was true; it is only asked then. */
export interface Node {
  test(cursor: Cursor): boolean;
  collect(cursor: Cursor, evidence: Evidence[]): void;
}

/** Turns loaded rules into closures over field ids. Rules share one reader per field and one search for literals. */
export function createCompiler(fields: FieldTable): (rule: Rule) => Node {
  const shared: Shared = { readerOf: createReaders(fields), scanner: createLiteralScanner() };
  return (rule) => {
    const main = compileDetection(rule.detection, shared);
    const filters = rule.filters.map((filter) => compileDetection(filter, shared));
    if (filters.length === 0) return main;
    return {
      test: (cursor) => main.test(cursor) && filters.every((filter) => filter.test(cursor)),
      collect: main.collect,
    };
  };
}

interface Shared {
  readonly readerOf: (field: string) => Reader;
  readonly scanner: LiteralScanner;
}

function compileDetection(detection: Detection, shared: Shared): Node {
  const single = detection.conditions.length === 1;
  const queries = detection.conditions.map(({ root }, index) => {
    const suffix = single ? '' : ` (condition ${index + 1})`;
    const nodes = new Map<string, Node>();
    for (const [name, search] of detection.searches) nodes.set(name, compileSearch(search, shared, suffix));
    return compileCondition(root, nodes);
  });
  return queries.length === 1 ? queries[0]! : anyOf(queries);
}

function compileCondition(condition: Condition, nodes: ReadonlyMap<string, Node>): Node {
  if (condition.kind === 'identifier') return nodes.get(condition.name)!;
  if (condition.kind === 'not') {
    const part = compileCondition(condition.part, nodes);
    return { test: (cursor) => !part.test(cursor), collect: () => {} };
  }
  if (condition.kind === 'of')
    return atLeast(
      condition.count,
      condition.names.map((name) => nodes.get(name)!),
    );
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
  };
}

function anyOf(parts: readonly Node[]): Node {
  return {
    test: (cursor) => {
      for (const part of parts) if (part.test(cursor)) return true;
      return false;
    },
    collect: (cursor, evidence) => collectTrue(parts, cursor, evidence),
  };
}

function atLeast(count: number, parts: readonly Node[]): Node {
  return {
    test: (cursor) => {
      let missing = count;
      for (const part of parts) if (part.test(cursor) && --missing === 0) return true;
      return false;
    },
    collect: (cursor, evidence) => collectTrue(parts, cursor, evidence),
  };
}

function collectTrue(parts: readonly Node[], cursor: Cursor, evidence: Evidence[]): void {
  for (const part of parts) if (part.test(cursor)) part.collect(cursor, evidence);
}

function compileItem(item: ItemTest, shared: Shared): Node {
  const reader = shared.readerOf(item.field);
  const { test } = item;
  const add = (evidence: Evidence[], wanted: string, member?: Member, matcher?: Matcher): void => {
    if (evidence.length >= limits.evidenceItemsMax) return;
    const text = member?.text ?? '';
    const range = (member && matcher?.find?.(member)) ?? { start: 0, end: text.length };
    evidence.push(evidenceOf(item, wanted, text, range));
  };
  if (test.kind === 'exists') {
    return {
      test: (cursor) => (reader.read(cursor) !== undefined) === test.wanted,
      collect: (cursor, evidence) => {
        const texts = reader.read(cursor)?.map((member) => member.text);
        add(evidence, test.wanted ? 'exists' : 'is absent', texts && new Member(texts.join(', ')));
      },
    };
  }
  if (test.kind === 'null') {
    const isNull = (members: readonly Member[]): boolean => members.some((member) => member.value === null);
    return {
      test: (cursor) => {
        const members = reader.read(cursor);
        return test.negate ? members !== undefined && !isNull(members) : members === undefined || isNull(members);
      },
      collect: (cursor, evidence) => add(evidence, test.negate ? 'is not null' : 'is null', reader.read(cursor)?.[0]),
    };
  }
  if (test.kind === 'fieldref') {
    const other = shared.readerOf(test.other);
    return {
      test: (cursor) => {
        const members = reader.read(cursor);
        const others = other.read(cursor);
        if (!members || !others) return false;
        return members.some((a) => others.some((b) => related(a, b, test.mode))) !== test.negate;
      },
      collect: (cursor, evidence) => {
        const wanted = `${test.negate ? 'differs from' : test.mode} ${test.other}`;
        const others = other.read(cursor) ?? [];
        const members = reader.read(cursor) ?? [];
        add(evidence, wanted, members.find((a) => others.some((b) => related(a, b, test.mode))) ?? members[0]);
      },
    };
  }
  const groups = test.groups.map((group) => group.map((matcher) => shared.scanner.guard(matcher)));
  return compileValues(groups, test.negate, reader, add);
}

function related(a: Member, b: Member, mode: FieldRefMode): boolean {
  if (a.value === null || b.value === null) return false;
  if (mode === 'contains') return a.folded.includes(b.folded);
  if (mode === 'startswith') return a.folded.startsWith(b.folded);
  return mode === 'endswith' ? a.folded.endsWith(b.folded) : a.folded === b.folded;
}

type Add = (evidence: Evidence[], wanted: string, member?: Member, matcher?: Matcher) => void;

function compileValues(groups: readonly (readonly Matcher[])[], negate: boolean, reader: Reader, add: Add): Node {
  return {
    test: (cursor) => {
      const members = reader.read(cursor);
      if (members === undefined) return false;
      for (const group of groups) if (!holds(group, members)) return negate;
      return !negate;
    },
    collect: (cursor, evidence) => {
      const members = reader.read(cursor) ?? [];
      if (negate) {
        const [matcher] = groups[0] ?? [];
        add(evidence, `not: ${matcher?.wanted ?? ''}`, members[0]);
        return;
      }
      for (const group of groups) {
        for (const member of members) {
          const matcher = group.find((each) => each.test(member));
          if (!matcher) continue;
          add(evidence, matcher.wanted, member, matcher);
          break;
        }
      }
    },
  };
}

function holds(group: readonly Matcher[], members: readonly Member[]): boolean {
  for (const member of members) {
    for (const matcher of group) if (matcher.test(member)) return true;
  }
  return false;
}
