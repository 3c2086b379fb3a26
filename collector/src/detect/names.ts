interface Named {
  readonly meta: { readonly id: string; readonly name: string; readonly formerIds: readonly string[] };
}

/** Everything a rule may be called by: its id, its name, and what it was called before a rename. */
export function namesOf({ meta }: Named): readonly string[] {
  return [...new Set([meta.id, meta.name, ...meta.formerIds])].filter((name) => name !== '');
}

/** Rules by everything they may be called by; the first of each, as a second one is an error already. */
export function rulesNamed<T extends Named>(rules: readonly T[]): Map<string, T> {
  const map = new Map<string, T>();
  for (const rule of rules) for (const name of namesOf(rule)) if (!map.has(name)) map.set(name, rule);
  return map;
}
