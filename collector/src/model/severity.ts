/** Sigma levels, from weakest to strongest. The index + 1 is OCSF's severity_id (1 informational … 5 critical). */
export const levels = ['informational', 'low', 'medium', 'high', 'critical'] as const;

export type Level = (typeof levels)[number];

/** OCSF severity_id of a Sigma level. */
export function severityId(level: Level): number {
  return levels.indexOf(level) + 1;
}
