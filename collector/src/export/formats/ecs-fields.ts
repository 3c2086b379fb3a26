import type { Facts } from './facts.ts';
import { type Technique, tacticsOf, techniquesOf } from './frameworks.ts';
import { isoOfMillis, isoOfNanos } from './times.ts';

/** The version of ECS whose names are used; `gen_ai.*` is beta in it. */
export const ecsVersion = '9.4.0';

/** A field of the document. */
export interface EcsField {
  /** Dotted. */
  readonly path: string;
  /** The type of its mapping. */
  readonly type: 'date' | 'keyword' | 'long' | 'float' | 'boolean' | 'match_only_text' | 'wildcard';
  readonly says: string;
  of(facts: Facts): string | number | boolean | readonly string[];
}

/** In the order in which they are written; names under `spanwarden.` are ours, all others ECS's. */
export const ecsFields: readonly EcsField[] = [
  {
    path: '@timestamp',
    type: 'date',
    says: 'when the collector took it in',
    of: ({ takenMs }) => isoOfMillis(takenMs),
  },
  { path: 'ecs.version', type: 'keyword', says: 'version of ECS', of: () => ecsVersion },
  { path: 'message', type: 'match_only_text', says: 'what happened', of: ({ message }) => message },
  { path: 'event.kind', type: 'keyword', says: '`alert`', of: () => 'alert' },
  { path: 'event.category', type: 'keyword', says: '`intrusion_detection`', of: () => ['intrusion_detection'] },
  { path: 'event.type', type: 'keyword', says: '`info`', of: () => ['info'] },
  { path: 'event.id', type: 'keyword', says: 'id of the event', of: ({ eventId }) => eventId },
  { path: 'event.action', type: 'keyword', says: '`create`, `update` or `close`', of: ({ activity }) => activity },
  { path: 'event.module', type: 'keyword', says: '`spanwarden`', of: () => 'spanwarden' },
  { path: 'event.provider', type: 'keyword', says: '`spanwarden`', of: () => 'spanwarden' },
  { path: 'event.dataset', type: 'keyword', says: '`spanwarden.findings`', of: () => 'spanwarden.findings' },
  { path: 'event.severity', type: 'long', says: 'severity, 21 to 99', of: ({ severity }) => severity.ecs },
  { path: 'event.risk_score', type: 'float', says: 'the same', of: ({ severity }) => severity.ecs },
  { path: 'event.start', type: 'date', says: 'first seen', of: ({ firstNanos }) => isoOfNanos(firstNanos) },
  { path: 'event.end', type: 'date', says: 'last seen', of: ({ lastNanos }) => isoOfNanos(lastNanos) },
  { path: 'event.reason', type: 'keyword', says: 'the first evidence', of: ({ evidence }) => evidence[0] ?? '' },
  { path: 'event.url', type: 'keyword', says: 'where people can look at it', of: ({ link }) => link },
  { path: 'rule.id', type: 'keyword', says: 'rule, or the one that counts most', of: ({ ruleId }) => ruleId },
  { path: 'rule.name', type: 'keyword', says: 'its title', of: ({ ruleTitle }) => ruleTitle },
  { path: 'rule.version', type: 'keyword', says: 'its version', of: ({ ruleVersion }) => ruleVersion },
  { path: 'rule.ruleset', type: 'keyword', says: '`spanwarden`', of: () => 'spanwarden' },
  { path: 'threat.framework', type: 'keyword', says: 'ATT&CK or ATLAS', of: framework },
  {
    path: 'threat.technique.id',
    type: 'keyword',
    says: 'techniques',
    of: (facts) => unique(techniques(facts).map(({ id }) => id)),
  },
  {
    path: 'threat.technique.subtechnique.id',
    type: 'keyword',
    says: 'sub-techniques',
    of: (facts) =>
      techniques(facts)
        .map(({ subId }) => subId)
        .filter((id) => id !== ''),
  },
  {
    path: 'threat.technique.reference',
    type: 'keyword',
    says: 'their pages',
    of: (facts) => techniques(facts).map(({ url }) => url),
  },
  { path: 'threat.tactic.id', type: 'keyword', says: 'tactics', of: ({ tags }) => tacticsOf(tags).map(({ id }) => id) },
  {
    path: 'threat.tactic.name',
    type: 'keyword',
    says: 'their names',
    of: ({ tags }) =>
      tacticsOf(tags)
        .map(({ name }) => name)
        .filter((name) => name !== ''),
  },
  { path: 'trace.id', type: 'keyword', says: 'trace', of: ({ traceId }) => traceId },
  { path: 'span.id', type: 'keyword', says: 'span', of: ({ spanId }) => spanId },
  { path: 'service.name', type: 'keyword', says: 'service', of: ({ service }) => service },
  { path: 'user.id', type: 'keyword', says: 'user', of: ({ user }) => user },
  { path: 'related.user', type: 'keyword', says: 'users', of: ({ users }) => users },
  { path: 'gen_ai.agent.name', type: 'keyword', says: 'agent', of: ({ agent }) => agent },
  { path: 'gen_ai.tool.name', type: 'keyword', says: 'tool', of: ({ tool }) => tool },
  { path: 'observer.vendor', type: 'keyword', says: 'vendor', of: ({ product }) => product.vendor },
  { path: 'observer.product', type: 'keyword', says: 'product', of: ({ product }) => product.name },
  { path: 'observer.version', type: 'keyword', says: 'its version', of: ({ product }) => product.version },
  { path: 'observer.hostname', type: 'keyword', says: 'the collector', of: ({ host }) => host },
  {
    path: 'tags',
    type: 'keyword',
    says: 'tags of the rule; `sample`',
    of: ({ tags, isSample }) => (isSample ? [...tags, 'sample'] : tags),
  },
  { path: 'spanwarden.kind', type: 'keyword', says: '`finding` or `case`', of: ({ kind }) => kind },
  { path: 'spanwarden.id', type: 'keyword', says: 'id of the finding or the case', of: ({ id }) => id },
  { path: 'spanwarden.case_id', type: 'keyword', says: 'case', of: ({ caseId }) => caseId },
  { path: 'spanwarden.title', type: 'keyword', says: 'title, `[SAMPLE]` before it', of: ({ title }) => title },
  { path: 'spanwarden.level', type: 'keyword', says: 'level', of: ({ level }) => level },
  { path: 'spanwarden.is_sample', type: 'boolean', says: 'whether it is a sample', of: ({ isSample }) => isSample },
  { path: 'spanwarden.is_cut', type: 'boolean', says: 'whether texts were cut', of: ({ isCut }) => isCut },
  { path: 'spanwarden.count', type: 'long', says: 'how often it was seen', of: ({ count }) => count },
  { path: 'spanwarden.findings', type: 'long', says: 'different findings', of: ({ findings }) => findings },
  { path: 'spanwarden.evidence', type: 'wildcard', says: 'the evidence', of: ({ evidence }) => evidence },
  { path: 'spanwarden.response', type: 'keyword', says: 'what the rule asks for', of: ({ response }) => response },
  { path: 'spanwarden.rule_ids', type: 'keyword', says: 'rules', of: ({ ruleIds }) => ruleIds },
  { path: 'spanwarden.agents', type: 'keyword', says: 'agents', of: ({ agents }) => agents },
  { path: 'spanwarden.tools', type: 'keyword', says: 'tools', of: ({ tools }) => tools },
  { path: 'spanwarden.session_id', type: 'keyword', says: 'session', of: ({ session }) => session },
  { path: 'spanwarden.sessions', type: 'keyword', says: 'sessions', of: ({ sessions }) => sessions },
  { path: 'spanwarden.trace_ids', type: 'keyword', says: 'traces', of: ({ traceIds }) => traceIds },
  { path: 'spanwarden.span_name', type: 'keyword', says: 'name of the span', of: ({ spanName }) => spanName },
];

/**
 * `threat.framework` is one word for all techniques of a document. Where a rule names both frameworks it is ATT&CK's, because
 * Elastic Security looks ids of that one up; ids of ATLAS say what they are.
 */
function framework(facts: Facts): string {
  const named = [...techniques(facts), ...tacticsOf(facts.tags)].map((item) => item.framework);
  if (named.length === 0) return '';
  return named.includes('MITRE ATT&CK') ? 'MITRE ATT&CK' : 'MITRE ATLAS';
}

function techniques({ tags }: Facts): Technique[] {
  return techniquesOf(tags);
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
