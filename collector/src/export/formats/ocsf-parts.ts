import type { Case, CaseDecision } from '../../model/case.ts';
import type { CaseEvent, FindingEvent } from '../../model/export-event.ts';
import type { Finding } from '../../model/finding.ts';
import { sessionOf } from '../../model/session.ts';
import { tacticsOf, techniquesOf } from './frameworks.ts';
import type { OcsfVersion } from './ocsf-version.ts';
import { severities } from './severities.ts';
import { millisOf } from './times.ts';

// Objects inside a Detection Finding. `undefined` members are left out of the JSON.

/**
 * Techniques and tactics as attack objects. Before 1.8 the object is of ATT&CK alone: there ATLAS stands in `finding_info.types` only.
 * https://schema.ocsf.io/1.9.0/objects/attack
 */
export function attacks(tags: readonly string[], version: OcsfVersion) {
  const isKnown = ({ framework }: { framework: string }): boolean => version !== '1.1' || framework === 'MITRE ATT&CK';
  const techniques = techniquesOf(tags)
    .filter(isKnown)
    .map(({ id, subId, url }) => ({
      technique: subId === '' ? { uid: id, src_url: url } : { uid: id },
      sub_technique: subId === '' ? undefined : { uid: subId, src_url: url },
    }));
  const tactics = tacticsOf(tags)
    .filter(isKnown)
    .map(({ id, name, url }) => ({ tactic: { uid: id, name: name || undefined, src_url: url } }));
  return some([...techniques, ...tactics]);
}

/**
 * The span with who acted, then what made the rule match. An entry needs one of a list of members that `ai_agent` is not in: `data`,
 * which is, is always written. https://schema.ocsf.io/1.9.0/objects/evidences
 */
export function findingEvidences(finding: Finding, version: OcsfVersion) {
  const agent = aiAgent(finding.agentName || finding.serviceName, sessionOf(finding).id, version);
  const { traceId, spanId, spanName, toolName, serviceName } = finding;
  return [
    {
      name: nameOf('span', version),
      data: { trace_id: traceId, span_id: spanId, span_name: spanName },
      actor: finding.userId === '' ? undefined : { user: { uid: finding.userId } },
      api: call(toolName, serviceName),
      ai_agent: agent,
    },
    ...finding.evidence.map(({ selection, field, wanted, excerpt }) => ({
      name: nameOf(field, version),
      data: { selection, field, wanted, excerpt },
      ai_agent: agent,
    })),
  ];
}

/** Each finding of the timeline, with the agent that did it. */
export function caseEvidences(told: Case, version: OcsfVersion) {
  return some(
    told.timeline.map((item) => ({
      name: nameOf(item.ruleTitle, version),
      data: {
        finding_id: item.findingId,
        rule_id: item.ruleId,
        rule_title: item.ruleTitle,
        trace_id: item.traceId,
        span_id: item.spanId,
        span_name: item.spanName,
        shown: item.shown,
      },
      api: call(item.toolName, ''),
      ai_agent: aiAgent(item.agentName, told.conversations[0] ?? '', version),
    })),
  );
}

/** The findings of a case as far as its timeline goes. https://schema.ocsf.io/1.9.0/objects/related_event */
export function relatedEvents(told: Case, version: OcsfVersion) {
  return some(
    told.timeline.map((item) => ({
      uid: item.findingId,
      type: 'Detection Finding',
      type_uid: 200_401,
      ...(version === '1.1'
        ? {}
        : {
            title: item.ruleTitle,
            severity_id: severities[item.level].ocsf,
            severity: severities[item.level].name,
            count: item.count,
            first_seen_time: millisOf(item.timeNanos),
            last_seen_time: millisOf(item.lastSeenNanos),
          }),
    })),
  );
}

/** What was affected: the agents. */
export function agentResources(agents: readonly string[]) {
  return some(agents.filter((name) => name !== '').map((name) => ({ name, uid: name, type: 'AI agent' })));
}

interface Observed {
  readonly agents: readonly string[];
  readonly users: readonly string[];
  readonly traceIds: readonly string[];
}

/** What analysts search other events for. Types that 1.1 has no number for are 99 with a name. */
export function observables({ agents, users, traceIds }: Observed, version: OcsfVersion) {
  const isOld = version === '1.1';
  const of = (name: string, typeId: number, type: string, values: readonly string[]) =>
    values.filter((value) => value !== '').map((value) => ({ name, type_id: typeId, type, value }));
  return some([
    ...of('resources.name', isOld ? 99 : 38, 'Resource Details Object: name', agents),
    ...of('evidences.actor.user.uid', isOld ? 99 : 31, 'User Object: uid', users),
    ...of('evidences.data.trace_id', 99, 'Trace ID', traceIds),
  ]);
}

/** What the class has no attribute for. */
export function findingUnmapped({ finding, caseId, isSample }: FindingEvent, fields: Readonly<Record<string, string>>) {
  const session = sessionOf(finding);
  return {
    kind: 'finding',
    is_sample: isSample,
    is_provisional: finding.provisional === true,
    case_id: caseId || undefined,
    chain_id: finding.chainId || undefined,
    group_key: finding.groupKey || undefined,
    response: finding.response,
    service_name: finding.serviceName || undefined,
    conversation_id: finding.conversationId || undefined,
    session_id: session.id || undefined,
    session_source: session.source,
    fields,
  };
}

function decisionUnmapped(decision: CaseDecision | undefined) {
  return decision && { disposition: decision.disposition, reason: decision.reason, by: decision.by };
}

/** What the class has no attribute for. */
export function caseUnmapped({ case: told, isSample }: CaseEvent, fields: Readonly<Record<string, string>>) {
  return {
    kind: 'case',
    is_sample: isSample,
    findings: told.findings,
    alert_seq: told.alertSeq,
    merged_into: told.mergedInto || undefined,
    decision: decisionUnmapped(told.decision),
    users: told.users,
    conversations: told.conversations,
    trace_ids: told.traceIds,
    fields,
  };
}

/** Telemetry names an agent; that name is all there is for a stable id. https://schema.ocsf.io/1.9.0/objects/ai_agent */
function aiAgent(name: string, session: string, version: OcsfVersion) {
  if (version !== '1.9' || name === '') return undefined;
  return { uid: name, name, instance_uid: session || undefined, type_id: 0, type: 'Unknown' };
}

/** A tool call as an API call: OCSF has no object for tools. */
function call(tool: string, service: string) {
  if (tool === '') return undefined;
  return { operation: tool, service: service === '' ? undefined : { name: service } };
}

/** Entries of evidence have no name in 1.1. */
function nameOf(name: string, version: OcsfVersion): string | undefined {
  return version === '1.1' || name === '' ? undefined : name;
}

function some<Item>(items: readonly Item[]): readonly Item[] | undefined {
  return items.length === 0 ? undefined : items;
}
