import { createHash } from 'node:crypto';
import type { Finding } from '../model/finding.ts';
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

type RuleIdentity = Pick<Finding, 'ruleId' | 'ruleTitle' | 'ruleVersion' | 'level' | 'response' | 'tags'>;

/** What every finding says about the rule that made it. */
export function ruleIdentity(meta: RuleMeta): RuleIdentity {
  const { id, title, version, level, response, tags } = meta;
  return { ruleId: id, ruleTitle: title, ruleVersion: version, level, response, tags };
}
