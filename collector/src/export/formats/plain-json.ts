import type { Case } from '../../model/case.ts';
import type { ExportEvent } from '../../model/export-event.ts';
import type { Finding } from '../../model/finding.ts';
import { sessionOf } from '../../model/session.ts';
import { severityId } from '../../model/severity.ts';
import type { Format, FormatContext } from '../contract.ts';
import { titleOf } from './facts.ts';
import { fitted } from './fit.ts';
import { tacticsOf, techniquesOf } from './frameworks.ts';
import { jsonText } from './text.ts';
import { isoOfMillis, isoOfNanos } from './times.ts';

/** Grows when a member changes its meaning or goes; further members do not count. */
export const plainJsonVersion = 1;

/**
 * The whole event in our own words: what webhooks and files get, and what CloudEvents carries. Members are snake_case. Times are ISO
 * 8601 in UTC with nanoseconds, because a number of nanoseconds is more than many JSON parsers keep; versions, which are larger than
 * 2^53 as well, are decimal strings.
 */
export function plainJson(): Format {
  return {
    contentType: 'application/json',
    encode: fitted((event, context, isCut) => jsonText(plainEvent(event, context, isCut))),
  };
}

/** The event as the value that `plainJson` writes. */
export function plainEvent(event: ExportEvent, context: FormatContext, isCut: boolean): Record<string, unknown> {
  return {
    schema: `spanwarden.event.v${plainJsonVersion}`,
    event_id: event.id,
    kind: event.kind,
    activity: event.activity,
    is_sample: event.isSample,
    is_cut: isCut,
    title: titleOf(event),
    taken_at: isoOfMillis(event.takenMs),
    order_key: event.orderKey,
    link: context.link(event),
    product: context.product,
    host: context.host,
    fields: context.extraFields(event),
    ...(event.kind === 'finding'
      ? { finding: plainFinding(event.finding), case_id: event.caseId }
      : { case: plainCase(event.case) }),
  };
}

function plainFinding(finding: Finding): Record<string, unknown> {
  const session = sessionOf(finding);
  return {
    id: finding.id,
    time: isoOfNanos(finding.timeNanos),
    last_seen: isoOfNanos(finding.lastSeenNanos ?? finding.timeNanos),
    count: finding.count ?? 1,
    is_provisional: finding.provisional === true,
    level: finding.level,
    severity_id: severityId(finding.level),
    reason: finding.reason,
    rule: { id: finding.ruleId, title: finding.ruleTitle, version: finding.ruleVersion, tags: finding.tags },
    techniques: techniquesOf(finding.tags).map(({ id, subId }) => subId || id),
    tactics: tacticsOf(finding.tags).map(({ id }) => id),
    response: finding.response,
    agent_name: finding.agentName,
    service_name: finding.serviceName,
    tool_name: finding.toolName,
    user_id: finding.userId,
    conversation_id: finding.conversationId,
    session_id: session.id,
    session_source: session.source,
    trace_id: finding.traceId,
    span_id: finding.spanId,
    span_name: finding.spanName,
    group_key: finding.groupKey,
    chain_id: finding.chainId ?? '',
    evidence: finding.evidence.map(({ selection, field, wanted, excerpt }) => ({ selection, field, wanted, excerpt })),
  };
}

function plainCase(told: Case): Record<string, unknown> {
  return {
    id: told.id,
    version: String(told.version),
    headline: told.headline,
    level: told.level,
    severity_id: severityId(told.level),
    raised_by: told.raisedBy,
    first_seen: isoOfNanos(told.firstSeenNanos),
    last_seen: isoOfNanos(told.lastSeenNanos),
    merged_into: told.mergedInto,
    findings: told.findings,
    count: told.count,
    alert_seq: told.alertSeq,
    decision: told.decision && {
      action: told.decision.action,
      at: isoOfNanos(told.decision.atMicros * 1000n),
      disposition: told.decision.disposition,
      reason: told.decision.reason,
      by: told.decision.by,
    },
    votes: told.votes.map((vote) => ({
      rule_id: vote.ruleId,
      rule_title: vote.ruleTitle,
      level: vote.level,
      findings: vote.findings,
      count: vote.count,
    })),
    timeline: told.timeline.map((item) => ({
      finding_id: item.findingId,
      time: isoOfNanos(item.timeNanos),
      last_seen: isoOfNanos(item.lastSeenNanos),
      count: item.count,
      rule_id: item.ruleId,
      rule_title: item.ruleTitle,
      level: item.level,
      agent_name: item.agentName,
      tool_name: item.toolName,
      trace_id: item.traceId,
      span_id: item.spanId,
      span_name: item.spanName,
      shown: item.shown,
    })),
    agents: told.agents,
    users: told.users,
    conversations: told.conversations,
    trace_ids: told.traceIds,
    chain_ids: told.chainIds,
  };
}
