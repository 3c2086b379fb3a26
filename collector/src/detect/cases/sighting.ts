import { createHash } from 'node:crypto';
import type { CaseFinding } from '../../model/case.ts';
import type { Evidence, Finding } from '../../model/finding.ts';
import { limits } from '../../model/limits.ts';
import { sessionOf } from '../../model/session.ts';
import { boundedText } from '../correlate/event.ts';
import { excerpt } from '../evidence.ts';
import { rolesOf } from './roles.ts';
import { specificValues } from './values.ts';

/** A finding as cases remember it. */
export interface Sighting extends CaseFinding {
  readonly chainId: string;
  /** Days since the epoch. */
  readonly day: number;
  readonly roles: number;
  /** What it shares with other findings of its case: session, traces, specific values. */
  readonly keys: readonly string[];
  readonly userId: string;
  /** Where it has none, the session that was stitched. */
  readonly conversationId: string;
}

const dayNanos = 86_400_000_000_000n;

/** The chain of a finding: its session on one day. It depends on nothing but the finding. */
export function chainOf(finding: Finding): { readonly id: string; readonly day: number } {
  const day = Number(finding.timeNanos / dayNanos);
  const id = createHash('sha256')
    .update(`chain\0${sessionKey(finding)}\0${day}`)
    .digest('hex')
    .slice(0, 32);
  return { id, day };
}

export function conversationKey(conversationId: string, serviceName: string): string {
  // Ids such as `1` or `default` are used by everybody.
  const scope = conversationId.length < 8 ? boundedText(serviceName) : '';
  return `c:${JSON.stringify([scope, boundedText(conversationId)])}`;
}

export function traceKey(traceId: string): string {
  return `t:${traceId}`;
}

/** What cases need of a finding; texts of its own, bounded and on one line. */
export function sightingOf(finding: Finding): Sighting {
  const { id, timeNanos, ruleId, ruleTitle, level, traceId, spanId, evidence } = finding;
  const chain = chainOf(finding);
  return {
    findingId: id,
    timeNanos,
    lastSeenNanos: finding.lastSeenNanos ?? timeNanos,
    count: finding.count ?? 1,
    ruleId,
    ruleTitle: shownName(ruleTitle),
    level,
    traceId,
    spanId,
    spanName: shownName(finding.spanName),
    agentName: shownName(finding.agentName || finding.serviceName),
    toolName: shownName(finding.toolName),
    shown: shownOf(evidence),
    chainId: chain.id,
    day: chain.day,
    roles: rolesOf(finding.tags),
    keys: keysOf(finding),
    userId: shownName(finding.userId),
    conversationId: shownName(finding.conversationId || (finding.session?.id ?? '')),
  };
}

/** A name out of telemetry on one line, without control characters and secrets. */
export function shownName(text: string): string {
  const shown = excerpt(text, { start: 0, end: Math.min(text.length, limits.caseNameCharsMax) });
  const characters = [...shown];
  const { caseNameCharsMax: max } = limits;
  return characters.length <= max ? shown : `${characters.slice(0, max - 1).join('')}…`;
}

/** What made the rule match, in short: texts and facts before names of operations; of a long text the place that matched. */
function shownOf(evidence: readonly Evidence[]): string {
  const telling = evidence.filter(({ field }) => /^spanwarden\.(?!effect\.kinds$)/.test(field));
  const excerpts = new Set((telling.length > 0 ? telling : evidence).map(({ excerpt: text }) => text));
  const [first = '', ...others] = excerpts;
  const { caseNameCharsMax: max } = limits;
  if (first.length <= max) return shownName([first, ...others.filter(({ length }) => length <= max)].join('; '));
  // An excerpt has the matching place in its middle.
  const from = Math.floor((first.length - max) / 2) + 1;
  return shownName(`…${first.slice(from, from + max - 2)}…`);
}

function keysOf(finding: Finding): readonly string[] {
  const { id, groupKey, foldValues, traceId, evidence } = finding;
  const keys = new Set([sessionKey(finding)]);
  // A later state of a finding may name a span of another session: of a correlation, or where a rule folds across them.
  if (groupKey !== '' || foldValues !== undefined) keys.add(`f:${id}`);
  if (traceId !== '') keys.add(traceKey(traceId));
  // The spans of a sequence are steps of one story. Those of a count may be of sessions that only share an agent.
  if (evidence[0]?.selection.startsWith('temporal')) {
    for (const { selection, wanted } of evidence) {
      const trace = selection === 'span' ? / in trace ([0-9a-f]{32})$/.exec(wanted)?.[1] : undefined;
      if (trace) keys.add(traceKey(trace));
    }
  }
  for (const value of specificValues(evidence)) keys.add(`v:${value}`);
  return [...keys];
}

function sessionKey(finding: Finding): string {
  const { id, source } = sessionOf(finding);
  if (source === 'conversation') return conversationKey(id, finding.serviceName);
  return id === '' ? `s:${finding.spanId}` : traceKey(id);
}
