import type { Derive, GrownList } from '../../model/grown-list.ts';
import type { Value } from '../../model/value.ts';

/** Lists that are the beginning of one that grows; what was worked out of that is used. */
const grown = new WeakMap<object, GrownList<Value>>();

export function noteGrowth(list: readonly Value[], from: GrownList<Value>): void {
  grown.set(list, from);
}

/** The list that begins with the members of this one. */
export function growthOf(list: Value): GrownList<Value> | undefined {
  return typeof list === 'object' && list !== null ? grown.get(list) : undefined;
}

/** Whether any member passes; those that came before are not asked again. @param name another one for each test */
export function someMember(list: readonly Value[], name: string, test: (member: Value) => boolean): boolean {
  const from = growthOf(list);
  if (from === undefined) return list.some(test);
  const passes: Derive<Value, true> = (member, into) => {
    if (test(member)) into.push(true);
    return 0;
  };
  return from.derived(name, passes, list.length).upTo(list.length) > 0;
}
