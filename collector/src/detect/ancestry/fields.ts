import type { Rule } from '../load.ts';
import type { Detection, ItemTest, Search } from '../resolve.ts';

export const reaches = ['parent', 'root', 'ancestor'] as const;

/** Whose field a rule reads: that of the parent, of the topmost span, or of any span on the way up, the topmost included. */
export type Reach = (typeof reaches)[number];

export interface AncestryField {
  readonly reach: Reach;
  /** The field as those spans have it. */
  readonly base: string;
}

const written = /^(parent|root|ancestor)\.(.+)$/s;

/** `parent.<field>`, `root.<field>` and `ancestor.<field>`; undefined for fields of the span itself. */
export function ancestryField(name: string): AncestryField | undefined {
  // Asked of every field of every rule, most of which begin otherwise.
  if (!reaches.some((reach) => name.startsWith(reach))) return undefined;
  const [, reach, base] = written.exec(name) ?? [];
  return base === undefined ? undefined : { reach: reach as Reach, base };
}

/** What is wrong with such a name, with advice; undefined when nothing is. */
export function reachProblem(name: string): { readonly message: string; readonly advice: string } | undefined {
  const empty = reaches.find((reach) => name === `${reach}.`);
  if (empty) {
    return { message: `\`${name}\` names no field`, advice: `For example: ${empty}.gen_ai.agent.name.` };
  }
  const field = ancestryField(name);
  if (!field || !ancestryField(field.base)) return undefined;
  return {
    message: `\`${name}\` reaches twice`,
    advice: 'Write `ancestor.` for a span anywhere above, `root.` for the topmost one.',
  };
}

/** The fields that one item reads. */
export function fieldsOf({ field, test }: ItemTest): readonly string[] {
  return test.kind === 'fieldref' ? [field, test.other] : [field];
}

/** The fields of other spans that a rule and its filters read, each once. */
export function ancestryFieldsOf({ detection, filters }: Pick<Rule, 'detection' | 'filters'>): readonly string[] {
  const names = new Set<string>();
  const visit = (search: Search): void => {
    if (search.kind !== 'item') for (const part of search.parts) visit(part);
    else for (const name of fieldsOf(search.item)) if (ancestryField(name)) names.add(name);
  };
  for (const each of [detection, ...filters] satisfies Detection[])
    for (const search of each.searches.values()) visit(search);
  return [...names];
}

/** Whether a rule needs other spans than the one it is asked about. */
export function usesAncestry(rule: Pick<Rule, 'detection' | 'filters'>): boolean {
  return ancestryFieldsOf(rule).length > 0;
}
