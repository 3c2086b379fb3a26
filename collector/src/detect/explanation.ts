import { limits } from '../model/limits.ts';
import { excerpt } from './evidence.ts';
import type { Matcher, Member } from './matcher.ts';
import type { Cursor, Reader } from './reader.ts';
import type { ItemTest } from './resolve.ts';

/** Why a piece of a rule holds for a span or not: the tree of its condition, every part asked. */
export type Explanation = BranchExplanation | ItemExplanation;

export interface BranchExplanation {
  /** `condition` and `filter` are a condition as written, `selection` is a search identifier, the others link parts. */
  readonly kind: 'rule' | 'logsource' | 'condition' | 'filter' | 'selection' | 'and' | 'or' | 'not' | 'of';
  /** The name, or the words of the rule; '' where the kind says all. */
  readonly label: string;
  readonly matched: boolean;
  readonly parts: readonly Explanation[];
}

/** One `field|modifiers: values`, with what the field holds. */
export interface ItemExplanation {
  readonly kind: 'item';
  readonly matched: boolean;
  /** '' is a keyword: every text of the span. */
  readonly field: string;
  /** What the rule asks for. With `link` any one of them is enough, or all are needed. */
  readonly wanted: readonly { readonly text: string; readonly matched: boolean }[];
  readonly link: 'any' | 'all';
  /** The item holds when what is wanted does not. */
  readonly negated: boolean;
  /** Fields that the span does not have. */
  readonly absent: readonly string[];
  /** Excerpts of what the span has there, secrets masked: the members that decide, else the first ones. */
  readonly actual: readonly string[];
  /** How many members the field has. */
  readonly members: number;
}

/** A branch whose verdict follows from its parts, all of which have been asked. */
export function branch(
  kind: BranchExplanation['kind'],
  label: string,
  matched: boolean,
  parts: readonly Explanation[],
): BranchExplanation {
  return { kind, label, matched, parts };
}

/** What an item needs to be explained: its readers, and the very matchers that the engine runs. */
export interface ItemParts {
  readonly item: ItemTest;
  readonly reader: Reader;
  readonly other?: Reader;
  readonly groups?: readonly (readonly Matcher[])[];
}

/** `matched` is the engine's verdict on the item; the rest says what it is made of. */
export function explainItem(parts: ItemParts, cursor: Cursor, matched: boolean): ItemExplanation {
  const { field, test } = parts.item;
  const members = parts.reader.read(cursor);
  const base = {
    kind: 'item',
    matched,
    field,
    link: 'any',
    negated: false,
    absent: members === undefined ? [field] : [],
    actual: excerptsOf(members ?? []),
    members: members?.length ?? 0,
  } as const;
  if (test.kind === 'exists') {
    return { ...base, wanted: [{ text: test.wanted ? 'exists' : 'is absent', matched }] };
  }
  if (test.kind === 'null') {
    return { ...base, wanted: [{ text: test.negate ? 'is not null' : 'is null or absent', matched }] };
  }
  if (test.kind === 'fieldref') {
    const others = parts.other?.read(cursor);
    const wanted = `${test.mode} ${test.other}${others ? ` (${excerptsOf(others).join(', ')})` : ''}`;
    const absent = others === undefined ? [...base.absent, test.other] : base.absent;
    const related = absent.length === 0 && matched !== test.negate;
    return { ...base, absent, negated: test.negate, wanted: [{ text: wanted, matched: related }] };
  }
  return { ...base, negated: test.negate, ...explainValues(parts.groups ?? [], members ?? []) };
}

const wantedMax = 64;
const actualMax = 3;

function explainValues(
  groups: readonly (readonly Matcher[])[],
  members: readonly Member[],
): Pick<ItemExplanation, 'wanted' | 'link' | 'actual'> {
  const wanted = new Map<string, boolean>();
  const found = new Map<Member, string>();
  for (const group of groups) {
    const texts: string[] = [];
    let held = false;
    for (const matcher of group) {
      const member = members.find((each) => matcher.test(each));
      if (member && !found.has(member)) found.set(member, matchExcerpt(member, matcher));
      held ||= member !== undefined;
      if (groups.length > 1) texts.push(matcher.wanted);
      else wanted.set(matcher.wanted, member !== undefined || wanted.get(matcher.wanted) === true);
    }
    if (groups.length > 1) wanted.set([...new Set(texts)].slice(0, wantedMax).join(' or '), held);
  }
  // The ones that hold come first, so that a long list is not cut before the one that matters.
  const all = [...wanted].map(([text, matched]) => ({ text, matched }));
  const shown = all.length > wantedMax ? all.sort((a, b) => Number(b.matched) - Number(a.matched)) : all;
  return {
    wanted: shown.slice(0, wantedMax),
    link: groups.length > 1 ? 'all' : 'any',
    actual: found.size > 0 ? [...found.values()].slice(0, limits.evidenceItemsMax) : excerptsOf(members),
  };
}

function matchExcerpt(member: Member, matcher: Matcher): string {
  return (
    matcher.show?.(member) ?? excerpt(member.text, matcher.find?.(member) ?? { start: 0, end: member.text.length })
  );
}

function excerptsOf(members: readonly Member[]): string[] {
  return members.slice(0, actualMax).map((member) => (member.value === null ? 'null' : excerpt(member.text, start)));
}

const start = { start: 0, end: 0 };
