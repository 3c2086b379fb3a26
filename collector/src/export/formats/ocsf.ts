import type { ExportEvent } from '../../model/export-event.ts';
import type { Format, FormatContext } from '../contract.ts';
import { messageOf, titleOf } from './facts.ts';
import { fitted } from './fit.ts';
import {
  agentResources,
  attacks,
  caseEvidences,
  caseUnmapped,
  findingEvidences,
  findingUnmapped,
  observables,
  relatedEvents,
} from './ocsf-parts.ts';
import { type OcsfVersion, ocsfFullVersions } from './ocsf-version.ts';
import { severities } from './severities.ts';
import { jsonText } from './text.ts';
import { isoOfNanos, millisOf } from './times.ts';

/**
 * OCSF Detection Finding, class 2004, https://schema.ocsf.io/1.9.0/classes/detection_finding. `finding_info.uid` is the id of the finding
 * or case, the same in all its states; `metadata.uid` is the id of the event. Times are milliseconds since the epoch.
 */
export function ocsf({ ocsfVersion = '1.9' }: { readonly ocsfVersion?: OcsfVersion }): Format {
  return {
    contentType: 'application/json',
    encode: fitted((event, context, isCut) => jsonText(detectionFinding(event, context, isCut, ocsfVersion))),
  };
}

const classUid = 2004;

const activities = {
  create: { id: 1, name: 'Create' },
  update: { id: 2, name: 'Update' },
  close: { id: 3, name: 'Close' },
} as const;

function detectionFinding(
  event: ExportEvent,
  context: FormatContext,
  isCut: boolean,
  version: OcsfVersion,
): Record<string, unknown> {
  const activity = activities[event.activity];
  const isClosed = event.activity === 'close';
  const told = event.kind === 'finding' ? ofFinding(event, context, version) : ofCase(event, context, version);
  const severity = severities[event.kind === 'finding' ? event.finding.level : event.case.level];
  return {
    activity_id: activity.id,
    activity_name: activity.name,
    category_uid: 2,
    category_name: 'Findings',
    class_uid: classUid,
    class_name: 'Detection Finding',
    type_uid: classUid * 100 + activity.id,
    type_name: `Detection Finding: ${activity.name}`,
    severity_id: severity.ocsf,
    severity: severity.name,
    status_id: isClosed ? 4 : 1,
    status: isClosed ? 'Resolved' : 'New',
    // When the finding came to be; what it is about lies between start_time and end_time.
    time: event.takenMs,
    timezone_offset: 0,
    message: messageOf(event),
    is_alert: version === '1.1' ? undefined : !isClosed,
    ...told,
    metadata: metadata(event, context, isCut, version),
  };
}

function metadata(event: ExportEvent, context: FormatContext, isCut: boolean, version: OcsfVersion) {
  const { vendor, name, version: productVersion } = context.product;
  const [started, correlation] =
    event.kind === 'finding'
      ? [event.finding.timeNanos, event.caseId || event.finding.traceId]
      : [event.case.firstSeenNanos, event.case.id];
  return {
    version: ocsfFullVersions[version],
    product: { name, vendor_name: vendor, version: productVersion },
    uid: event.id,
    correlation_uid: correlation || undefined,
    log_name: event.kind === 'finding' ? 'findings' : 'cases',
    log_provider: context.host || undefined,
    logged_time: event.takenMs,
    original_time: isoOfNanos(started),
    labels: event.isSample ? ['sample'] : undefined,
    is_truncated: isCut && version !== '1.1' ? true : undefined,
  };
}

function ofFinding(event: ExportEvent & { kind: 'finding' }, context: FormatContext, version: OcsfVersion) {
  const { finding } = event;
  const lastNanos = finding.lastSeenNanos ?? finding.timeNanos;
  return {
    start_time: millisOf(finding.timeNanos),
    end_time: millisOf(lastNanos),
    count: finding.count ?? 1,
    finding_info: {
      uid: finding.id,
      title: titleOf(event),
      desc: finding.reason || undefined,
      types: finding.tags,
      first_seen_time: millisOf(finding.timeNanos),
      last_seen_time: millisOf(lastNanos),
      modified_time: event.activity === 'create' ? undefined : event.takenMs,
      src_url: context.link(event) || undefined,
      data_sources: ['OpenTelemetry'],
      analytic: rule(finding.ruleId, finding.ruleTitle, finding.ruleVersion),
      attacks: attacks(finding.tags, version),
    },
    evidences: findingEvidences(finding, version),
    resources: agentResources([finding.agentName || finding.serviceName]),
    observables: observables(
      { agents: [finding.agentName || finding.serviceName], users: [finding.userId], traceIds: [finding.traceId] },
      version,
    ),
    unmapped: findingUnmapped(event, context.extraFields(event)),
  };
}

function ofCase(event: ExportEvent & { kind: 'case' }, context: FormatContext, version: OcsfVersion) {
  const { case: told } = event;
  const worst = told.votes[0];
  return {
    start_time: millisOf(told.firstSeenNanos),
    end_time: millisOf(told.lastSeenNanos),
    count: told.count,
    finding_info: {
      uid: told.id,
      title: titleOf(event),
      desc: told.raisedBy || undefined,
      first_seen_time: millisOf(told.firstSeenNanos),
      last_seen_time: millisOf(told.lastSeenNanos),
      modified_time: event.activity === 'create' ? undefined : event.takenMs,
      src_url: context.link(event) || undefined,
      data_sources: ['OpenTelemetry'],
      analytic: worst === undefined ? undefined : rule(worst.ruleId, worst.ruleTitle),
      related_analytics: told.votes.slice(1).map(({ ruleId, ruleTitle }) => rule(ruleId, ruleTitle)),
      related_events: relatedEvents(told, version),
    },
    evidences: caseEvidences(told, version),
    resources: agentResources(told.agents),
    observables: observables(told, version),
    unmapped: caseUnmapped(event, context.extraFields(event)),
  };
}

/** An analytic of type Rule. */
function rule(uid: string, name: string, version = '') {
  return { uid, name, version: version || undefined, type_id: 1, type: 'Rule' };
}
