import { createHash } from 'node:crypto';
import type { Case, CaseFinding, CaseVote } from '../../model/case.ts';
import { limits } from '../../model/limits.ts';
import { type Level, severityId } from '../../model/severity.ts';
import type { Scanned } from '../slices.ts';
import { headlineOf } from './headline.ts';
import { severityOf } from './severity.ts';
import type { Sighting } from './sighting.ts';

/** A case as it is remembered. Which findings and chains it has does not depend on the order in which they came. */
export interface CaseRecord extends Scanned {
  /** Sessions, with their earliest finding and their day. */
  readonly chains: Map<string, { readonly firstNanos: bigint; readonly day: number }>;
  readonly findings: Map<string, Sighting>;
  /** Findings that are counted but no longer listed. */
  beyond: { readonly findings: number; readonly count: number };
  /** Keys that lead to this case. */
  readonly keys: Set<string>;
  /** Ids that stand in rows, each with the id that the row was said to be part of. */
  readonly written: Map<string, string>;
  lastSeenNanos: bigint;
  alertSeq: number;
  /** The level it last called for attention with. */
  alerted: Level | '';
  /** Rules in the last row. */
  rules: number;
  /** How many rows were given out, and the event time from which on a change is. 0 without a change. */
  given: number;
  dueNanos: bigint;
  /** Event time when it last changed; the stalest case is let go first. */
  touchedNanos: bigint;
  /** Goes up with each touch of any case. */
  turn: number;
}

/** @param scan as `Scanned` */
export function emptyRecord(scan: number): CaseRecord {
  return {
    chains: new Map(),
    findings: new Map(),
    beyond: { findings: 0, count: 0 },
    keys: new Set(),
    written: new Map(),
    lastSeenNanos: 0n,
    alertSeq: 0,
    alerted: '',
    rules: 0,
    given: 0,
    dueNanos: 0n,
    touchedNanos: 0n,
    turn: 0,
    scan,
  };
}

/** Adds a finding, or a newer state of it in place of the one before. True when the case did not have it. */
export function addSighting(record: CaseRecord, sighting: Sighting): boolean {
  const { chainId, day, timeNanos, findingId } = sighting;
  const chain = record.chains.get(chainId);
  if (!chain || timeNanos < chain.firstNanos) record.chains.set(chainId, { firstNanos: timeNanos, day });
  if (sighting.lastSeenNanos > record.lastSeenNanos) record.lastSeenNanos = sighting.lastSeenNanos;
  const before = record.findings.get(findingId);
  record.findings.set(findingId, sighting);
  if (record.findings.size > limits.findingsPerCaseMax) {
    const least = [...record.findings.values()].reduce((a, b) => (worstFirst(a, b) > 0 ? a : b));
    record.findings.delete(least.findingId);
    // A state of a finding that was left out before is no other finding.
    const known = least === sighting && sighting.count > 1;
    const { findings, count } = record.beyond;
    record.beyond = { findings: findings + (known ? 0 : 1), count: count + (known ? 1 : least.count) };
  }
  return before === undefined;
}

/** Makes one case of two. */
export function mergeRecords(into: CaseRecord, from: CaseRecord): void {
  for (const [id, chain] of from.chains) {
    const own = into.chains.get(id);
    if (!own || chain.firstNanos < own.firstNanos) into.chains.set(id, chain);
  }
  for (const sighting of from.findings.values()) {
    const own = into.findings.get(sighting.findingId);
    if (!own || own.count < sighting.count) addSighting(into, sighting);
  }
  into.beyond = {
    findings: into.beyond.findings + from.beyond.findings,
    count: into.beyond.count + from.beyond.count,
  };
  for (const key of from.keys) into.keys.add(key);
  for (const [id, target] of from.written) into.written.set(id, target);
  if (from.lastSeenNanos > into.lastSeenNanos) into.lastSeenNanos = from.lastSeenNanos;
  into.alertSeq = Math.max(into.alertSeq, from.alertSeq);
  if (rank(from.alerted) > rank(into.alerted)) into.alerted = from.alerted;
  into.rules = Math.max(into.rules, from.rules);
  if (into.dueNanos === 0n || (from.dueNanos > 0n && from.dueNanos < into.dueNanos)) into.dueNanos = from.dueNanos;
  into.given = Math.min(into.given, from.given);
}

/** The chain of the earliest finding names the case. */
export function leaderOf(record: CaseRecord): { readonly chainId: string; readonly day: number } {
  let leader: { chainId: string; firstNanos: bigint; day: number } | undefined;
  for (const [chainId, { firstNanos, day }] of record.chains) {
    const isFirst =
      !leader || firstNanos < leader.firstNanos || (firstNanos === leader.firstNanos && chainId < leader.chainId);
    if (isFirst) leader = { chainId, firstNanos, day };
  }
  return leader!;
}

/** What stands in the row of a case. */
export function caseOf(record: CaseRecord, id: string, version: bigint, alerted: boolean): Case {
  const all = [...record.findings.values()].sort(eventOrder);
  const { level, raisedBy } = severityOf(all);
  const votes = votesOf(all);
  const { chainId, day } = leaderOf(record);
  return {
    id,
    version,
    day,
    mergedInto: '',
    headline: headlineOf(all),
    level,
    raisedBy,
    firstSeenNanos: record.chains.get(chainId)!.firstNanos,
    lastSeenNanos: record.lastSeenNanos,
    findings: all.length + record.beyond.findings,
    count: all.reduce((sum, { count }) => sum + count, record.beyond.count),
    votes,
    timeline: all.toSorted(worstFirst).slice(0, limits.caseTimelineMax).sort(eventOrder).map(listed),
    agents: names(all.map(({ agentName }) => agentName)),
    users: names(all.map(({ userId }) => userId)),
    conversations: names(all.map(({ conversationId }) => conversationId)),
    traceIds: names(all.map(({ traceId }) => traceId)),
    chainIds: [...record.chains.keys()].sort(),
    alertSeq: record.alertSeq,
    alerted,
  };
}

/** The id of the case that a chain opens again after its first one was let go. */
export function laterId(chainId: string, generation: number): string {
  if (generation === 0) return chainId;
  return createHash('sha256').update(`case\0${chainId}\0${generation}`).digest('hex').slice(0, 32);
}

export function rank(level: Level | ''): number {
  return level === '' ? 0 : severityId(level);
}

function votesOf(all: readonly Sighting[]): readonly CaseVote[] {
  const votes = new Map<string, { ruleTitle: string; level: Level; findings: number; count: number }>();
  for (const { ruleId, ruleTitle, level, count } of all) {
    const vote = votes.get(ruleId) ?? { ruleTitle, level, findings: 0, count: 0 };
    votes.set(ruleId, vote);
    vote.findings++;
    vote.count += count;
    if (rank(level) > rank(vote.level)) vote.level = level;
  }
  return [...votes]
    .map(([ruleId, vote]) => ({ ruleId, ...vote }))
    .sort((a, b) => rank(b.level) - rank(a.level) || (a.ruleId < b.ruleId ? -1 : 1));
}

function listed(sighting: Sighting): CaseFinding {
  const { findingId, timeNanos, lastSeenNanos, count, ruleId, ruleTitle, level, traceId, spanId } = sighting;
  const { spanName, agentName, toolName, shown } = sighting;
  const ids = { findingId, timeNanos, lastSeenNanos, count, ruleId, ruleTitle, level, traceId, spanId };
  return { ...ids, spanName, agentName, toolName, shown };
}

/** The first of them by name, so that arrival does not decide which are left out. */
function names(texts: readonly string[]): readonly string[] {
  const known = [...new Set(texts)].filter((text) => text !== '');
  return known.sort().slice(0, limits.caseNamesMax);
}

function eventOrder(a: Sighting, b: Sighting): number {
  if (a.timeNanos !== b.timeNanos) return a.timeNanos < b.timeNanos ? -1 : 1;
  return a.findingId < b.findingId ? -1 : 1;
}

function worstFirst(a: Sighting, b: Sighting): number {
  return rank(b.level) - rank(a.level) || eventOrder(a, b);
}
