import { createHash } from 'node:crypto';
import type { FieldId, FieldTable } from '../../model/fields.ts';
import { compileItem, createShared, type Node } from '../compile.ts';
import type { Rule } from '../load.ts';
import type { FieldTest, ItemTest } from '../resolve.ts';
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
  readonly ownFields: readonly string[];
  /** It holds when a value is found, so that further ancestors cannot undo it; the others are the reverse. */
  readonly positive: boolean;
}

export interface Programs {
  readonly programs: readonly Program[];
  /** Every field of other spans that a rule reads. */
  readonly names: readonly string[];
  /** The same without `parent.`, `root.`, `ancestor.`: what has to be kept of every span. */
  readonly bases: readonly string[];
}

/** The rules that reach for other spans; the others are left to the detector. */
export function createPrograms(rules: readonly Rule[], fields: FieldTable): Programs {
  const shared = createShared(fields);
  const names = new Set<string>();
  const programs: Program[] = [];
  for (const rule of rules) {
    const own = ancestryFieldsOf(rule);
    if (own.length === 0) continue;
    for (const name of own) names.add(name);
    const { whole, main, filters, leaves } = treesOf(rule.detection, rule.filters);
    programs.push({
      rule,
      whole,
      main,
      filters,
      leaves: leaves.map((item) => leafOf(item, compileItem(item, shared), fields)),
      signature: signatureOf(rule, whole, leaves),
    });
  }
  const bases = new Set([...names].map((name) => ancestryField(name)!.base));
  return { programs, names: [...names].sort(), bases: [...bases].sort() };
}

function leafOf(item: ItemTest, node: Node, fields: FieldTable): Leaf {
  const names = fieldsOf(item);
  const reads = names.flatMap((name) => {
    const field = ancestryField(name);
    return field ? [{ reach: field.reach, field: fields.intern(name) }] : [];
  });
  const ownFields = reads.length === 0 ? [] : names.filter((name) => !ancestryField(name));
  return { item, node, reads, ownFields, positive: isPositive(item.test) };
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
