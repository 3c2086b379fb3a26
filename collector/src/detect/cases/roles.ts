/** What a finding stands for in a story of several, as bits; one may stand for more than one. */
export const Role = {
  /** The agent read something that wants to command it. */
  injection: 1,
  /** It reached for keys, secrets or much data. */
  access: 2,
  /** Something left the house. */
  egress: 4,
  /** It ran, paid, changed or destroyed something. */
  action: 8,
} as const;

/** The roles that the tags of a rule say. */
export function rolesOf(tags: readonly string[]): number {
  let roles = 0;
  for (const tag of tags) {
    for (const [pattern, role] of meanings) if (pattern.test(tag)) roles |= role;
  }
  return roles;
}

const meanings: readonly (readonly [RegExp, number])[] = [
  [/^(?:owasp\.(?:llm01|asi01)|atlas\.aml\.t00(?:51|54|68)(?:\.|$)|attack\.initial[-_]access$)/, Role.injection],
  [
    /^(?:atlas\.aml\.t00(?:55|85|98)(?:\.|$)|attack\.(?:credential[-_]access|collection|discovery)$|attack\.t1552)/,
    Role.access,
  ],
  [/^(?:atlas\.aml\.t00(?:25|57|77|86)(?:\.|$)|attack\.exfiltration$)/, Role.egress],
  [
    /^(?:owasp\.asi05|atlas\.aml\.t0(?:050|053|072|081|101|102|105)(?:\.|$)|attack\.(?:execution|impact|persistence)$)/,
    Role.action,
  ],
];
