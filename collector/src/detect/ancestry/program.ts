import { createHash } from 'node:crypto';
import type { FieldId, FieldTable } from '../../model/fields.ts';
import { compileItem, type Node, type Shared } from '../compile.ts';
import type { Rule } from '../load.ts';
import type { Reader } from '../reader.ts';
import type { Detection, FieldTest, ItemTest, Search } from '../resolve.ts';
import { createRouter, type Router } from '../route/router.ts';
import { ancestryField, ancestryFieldsOf, fieldsOf, type Reach } from './fields.ts';
import { type Tree, treesOf } from './verdict.ts';

/** A rule that reads other spans, ready to be asked in two steps: about the span itself, then about those above it. */
export interface Program {
  readonly rule: Rule;
  readonly whole: Tree;
  readonly main: Tree;
  /** In the order of the rule's filters. */
  readonly filters: readonly Tree[];
  readonly leaves: readonly Leaf[];
  /** The items about ancestors that are asked ancestor by ancestor. */
  readonly perAncestor: readonly Leaf[];
  /** A parent may decide it. */
  readonly readsParent: boolean;
  /** An item compares what several ancestors have, so that every further one means asking anew about all. */
  readonly readsAcross: boolean;
  /** Equal programs have equal ones, so that what waits finds its rule again after a restart. */
  readonly signature: string;
}

/** One item of the rule. */
export interface Leaf {
  readonly item: ItemTest;
  readonly node: Node;
  /** What it reads of other spans; empty for an item about the span itself. */
  readonly reads: readonly { readonly reach: Reach; readonly field: FieldId }[];
  /** Fields of the span itself that it compares with those of others. */
  readonly ownFields: readonly FieldId[];
  /** It holds when a value is found, so that further ancestors cannot undo it; the others are the reverse. */
  readonly positive: boolean;
  /** The field of its own that a comparison needs: without it, it does not hold. */
  readonly needs?: Reader;
  readonly perAncestor?: PerAncestor;
}

/**
 * An item about ancestors as a question about each of them, whose answers come together: so that a chain of many spans
 * costs each of them once and not with every further one. Answers are bits: 1 when the field is there, then one for each
 * part that holds.
 */
export interface PerAncestor {
  /** Its place among all such items. */
  readonly place: number;
  readonly base: number;
  readonly parts: readonly Node[];
  /** The answer depends on a field of the span itself. */
  readonly isComparison: boolean;
}

export interface Programs {
  readonly programs: readonly Program[];
  /** Which programs a span's own fields may not exclude, by their places. */
  readonly route: Router;
  /** Every field of other spans that a rule reads. */
  readonly names: readonly string[];
  /** The same without `parent.`, `root.`, `ancestor.`: what has to be kept of every span. */
  readonly bases: readonly string[];
}

/** The rules that reach for other spans; the others are left to the detector. */
export function createPrograms(rules: readonly Rule[], fields: FieldTable, shared: Shared): Programs {
  const reaching = rules.filter((rule) => ancestryFieldsOf(rule).length > 0);
  const names = [...new Set(reaching.flatMap(ancestryFieldsOf))].sort();
  const bases = [...new Set(names.map((name) => ancestryField(name)!.base))].sort();
  let places = 0;
  const programs = reaching.map((rule): Program => {
    const { whole, main, filters, leaves: items } = treesOf(rule.detection, rule.filters);
    const leaves = items.map((item) => {
      const leaf = leafOf(item, fields, shared);
      return isPerAncestor(leaf) ? { ...leaf, perAncestor: perAncestorOf(item, places++, bases, shared) } : leaf;
    });
    const reads = (reach: Reach) => (leaf: Leaf) => leaf.reads.some((read) => read.reach === reach);
    return {
      rule,
      whole,
      main,
      filters,
      leaves,
      perAncestor: leaves.filter(({ perAncestor }) => perAncestor),
      readsParent: leaves.some(reads('parent')),
      readsAcross: leaves.filter(({ perAncestor }) => !perAncestor).some(reads('ancestor')),
      signature: signatureOf(rule, whole, items),
    };
  });
  const owns = reaching.map((rule) => ({ ...rule, detection: ownDetection(rule.detection) }));
  return { programs, route: createRouter(owns, shared), names, bases };
}

function leafOf(item: ItemTest, fields: FieldTable, shared: Shared): Leaf {
  const names = fieldsOf(item);
  const reads = names.flatMap((name) => {
    const field = ancestryField(name);
    return field ? [{ reach: field.reach, field: fields.intern(name) }] : [];
  });
  const ownFields = reads.length === 0 ? [] : names.filter((name) => !ancestryField(name));
  const [needed] = ownFields;
  return {
    item,
    node: compileItem(item, shared),
    reads,
    ownFields: ownFields.map((name) => fields.intern(name)),
    positive: isPositive(item.test),
    ...(needed !== undefined && { needs: shared.readerOf(needed) }),
  };
}

/** The answers of all parts and whether the field is there must fit into one number. */
function isPerAncestor({ reads, item: { test } }: Leaf): boolean {
  if (reads.length !== 1 || reads[0]!.reach !== 'ancestor') return false;
  return test.kind !== 'values' || test.groups.length <= 29;
}

function perAncestorOf(item: ItemTest, place: number, bases: readonly string[], shared: Shared): PerAncestor {
  const { test } = item;
  const partsOf = (): readonly FieldTest[] => {
    if (test.kind === 'null') return [{ kind: 'null', negate: false }];
    if (test.kind === 'fieldref') return [{ ...test, negate: false }];
    if (test.kind !== 'values') return [];
    return test.groups.map((group) => ({ kind: 'values', groups: [group], negate: false }));
  };
  const parts = partsOf().map((part) => compileItem({ ...item, test: part }, shared));
  const names = fieldsOf(item);
  const field = names.map(ancestryField).find((each) => each !== undefined)!;
  return { place, base: bases.indexOf(field.base), parts, isComparison: names.length > 1 };
}

/** What a detection asks of the span itself, for the router: an item about others may hold whatever the span shows. */
function ownDetection({ searches, conditions }: Detection): Detection {
  const ownSearch = (search: Search): Search => {
    if (search.kind !== 'item') return { ...search, parts: search.parts.map(ownSearch) };
    const { item } = search;
    const names = fieldsOf(item);
    if (!names.some((name) => ancestryField(name))) return search;
    const own = names.find((name) => !ancestryField(name));
    const wanted = own !== undefined;
    return { kind: 'item', item: { ...item, field: own ?? item.field, test: { kind: 'exists', wanted } } };
  };
  return { searches: new Map([...searches].map(([name, search]) => [name, ownSearch(search)])), conditions };
}

function isPositive(test: FieldTest): boolean {
  return test.kind === 'exists' ? test.wanted : !test.negate;
}

/** The version of the rule does not tell of its filters and lists. */
function signatureOf({ meta }: Rule, whole: Tree, leaves: readonly ItemTest[]): string {
  const items = leaves.map(({ selection, field, test }) => [
    selection,
    field,
    test.kind === 'values' ? { ...test, groups: test.groups.map((group) => group.map(({ wanted }) => wanted)) } : test,
  ]);
  return createHash('sha256')
    .update(JSON.stringify([meta.id, meta.version, whole, items]))
    .digest('hex')
    .slice(0, 32);
}
