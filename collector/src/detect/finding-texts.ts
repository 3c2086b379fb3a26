import { createHash } from 'node:crypto';
import type { RuleMeta } from './rule.ts';

/** The same rule, group and first span always give the same id, so that a replay repeats findings and adds none. */
export function findingId(ruleId: string, groupKey: string, firstSpan: string): string {
  return createHash('sha256').update(`${ruleId}\0${groupKey}\0${firstSpan}`).digest('hex').slice(0, 32);
}

/** What a finding says for people: the first sentence of the description, else the title. */
export function reasonOf(meta: RuleMeta): string {
  const text = meta.description.replaceAll(/\s+/g, ' ').trim();
  return /^.*?[.!?](?=\s|$)/.exec(text)?.[0] ?? (text || meta.title);
}
