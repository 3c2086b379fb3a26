import type { Format } from '../contract.ts';
import { type Facts, factsOf } from './facts.ts';
import { fitted } from './fit.ts';
import { tacticsOf, techniquesOf } from './frameworks.ts';
import { jsonText } from './text.ts';
import { isoOfMillis, isoOfNanos } from './times.ts';

/**
 * An event in the Unified Data Model of Google SecOps, https://docs.cloud.google.com/chronicle/docs/reference/udm-field-list: a GENERIC_EVENT
 * whose `security_result` alerts. Names are those of the protocol buffer, which its JSON takes beside camelCase.
 */
export function udm(): Format {
  return {
    contentType: 'application/json',
    encode: fitted((event, context, isCut) => jsonText(udmEvent(factsOf(event, context, isCut)))),
  };
}

function udmEvent(facts: Facts): Record<string, unknown> {
  return {
    metadata: {
      product_log_id: facts.eventId,
      event_timestamp: isoOfMillis(facts.takenMs),
      event_type: 'GENERIC_EVENT',
      vendor_name: facts.product.vendor,
      product_name: facts.product.name,
      product_version: facts.product.version,
      product_event_type: `${facts.kind}.${facts.activity}`,
      description: facts.message,
      url_back_to_product: facts.link || undefined,
    },
    principal: some({
      application: facts.agent || facts.service || undefined,
      user: facts.user === '' ? undefined : { userid: facts.user },
    }),
    target: facts.tool === '' ? undefined : { application: facts.tool },
    observer: facts.host === '' ? undefined : { hostname: facts.host },
    network: facts.session === '' ? undefined : { session_id: facts.session },
    security_result: [securityResult(facts)],
    additional: {
      id: facts.id,
      kind: facts.kind,
      is_sample: facts.isSample,
      is_cut: facts.isCut,
      case_id: facts.caseId,
      count: facts.count,
      findings: facts.findings,
      rule_ids: facts.ruleIds,
      agents: facts.agents,
      users: facts.users,
      trace_id: facts.traceId,
      trace_ids: facts.traceIds,
      span_id: facts.spanId,
      span_name: facts.spanName,
      fields: facts.extra,
    },
  };
}

function securityResult(facts: Facts): Record<string, unknown> {
  const isClosed = facts.activity === 'close';
  const { tags, evidence } = facts;
  const techniques = techniquesOf(tags).map(({ id, subId }) => ({ id, subtechnique_id: subId || undefined }));
  const tactics = tacticsOf(tags).map(({ id, name }) => ({ id, name: name || undefined }));
  return {
    rule_id: facts.ruleId || undefined,
    rule_name: facts.ruleTitle || undefined,
    rule_version: facts.ruleVersion || undefined,
    summary: facts.title,
    description: facts.message,
    severity: facts.severity.udm,
    severity_details: facts.level,
    alert_state: isClosed ? 'NOT_ALERTING' : 'ALERTING',
    threat_status: isClosed ? 'CLEARED' : 'ACTIVE',
    first_discovered_time: isoOfNanos(facts.firstNanos),
    last_discovered_time: isoOfNanos(facts.lastNanos),
    url_back_to_product: facts.link || undefined,
    attack_details: techniques.length + tactics.length === 0 ? undefined : { techniques, tactics },
    detection_fields: [
      ...evidence.map((value) => ({ key: 'evidence', value })),
      ...tags.map((value) => ({ key: 'tag', value })),
    ],
  };
}

/** A message without any member would still be one. */
function some<Message extends object>(message: Message): Message | undefined {
  return Object.values(message).some((member) => member !== undefined) ? message : undefined;
}
