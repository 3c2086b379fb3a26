import type { FormatName } from '../collector/src/export/formats/index.ts';

/** What the page says of a format beside what its table does. */
export interface FormatWords {
  readonly what: string;
  /** What tests hold it against, and what not. */
  readonly checked: string;
  readonly notes: string;
  /** Rows of the table: there, what. */
  readonly map: readonly (readonly [string, string])[];
}

export const formatWords: Readonly<Record<FormatName, FormatWords>> = {
  json: {
    what: 'The whole event as JSON, in our own words',
    checked: 'itself',
    notes:
      'Times are ISO 8601 in UTC, of spans with nanoseconds; numbers above 2^53 (`version` of a case) are decimal strings. `schema` grows when a member changes its meaning or goes.',
    map: [
      ['`event_id`, `activity`, `is_sample`, `is_cut`', 'of the event'],
      ['`order_key`', 'events with the same one come in order'],
      ['`finding`', 'of an event about a finding: all of it; `case_id` beside it'],
      ['`case`', 'of an event about a case: all of it, with `votes` (rules) and `timeline` (findings)'],
      ['`fields`', 'fields of your own'],
    ],
  },
  cloudevents: {
    what: 'CloudEvents 1.0 around the plain JSON',
    checked: 'the attributes of the specification',
    notes: 'Structured mode. `source` and `id` together name the event.',
    map: [
      ['`id`', 'id of the event'],
      ['`source`', '`/spanwarden/` and the collector'],
      ['`type`', '`spanwarden.<kind>.<activity>`'],
      ['`subject`', 'id of the finding or the case'],
      ['`time`', 'when the collector took it in'],
      ['`data`', 'what format `json` writes'],
    ],
  },
  ocsf: {
    what: 'OCSF Detection Finding, class 2004',
    checked: 'excerpts of the schemas 1.1.0, 1.8.0 and 1.9.0: attributes, types, enumerations, constraints',
    notes:
      'Version 1.9, or 1.8 and 1.1 (Security Lake) where `ocsf_version` says so. `evidences[].ai_agent` exists in 1.9 only; before, agents stand in `resources` alone. 1.1 has no `is_alert`, and ATLAS only in `finding_info.types`.',
    map: [
      ['`finding_info.uid`', 'id of the finding or the case'],
      ['`metadata.uid`', 'id of the event'],
      ['`activity_id`, `type_uid`', '1 create, 2 update, 3 close'],
      ['`status_id`', '1 New; 4 Resolved of what is closed'],
      ['`time`', 'when the collector took it in'],
      ['`start_time`, `end_time`', 'first and last seen, ms'],
      ['`severity_id`', 'level'],
      ['`message`, `finding_info.title`, `finding_info.desc`', 'what happened; title or headline; reason'],
      ['`finding_info.analytic`', 'rule; of a case the one that counts most, the others in `related_analytics`'],
      ['`finding_info.attacks`, `.types`', 'techniques and tactics; tags as they are'],
      ['`finding_info.related_events`', 'findings of a case'],
      ['`evidences[]`', 'the span with user (`actor`) and tool (`api`), then what made the rule match (`data`)'],
      ['`evidences[].ai_agent`', 'agent; `instance_uid` is the session'],
      ['`resources`, `observables`', 'agents; agents, users and traces'],
      ['`metadata.correlation_uid`', 'case, or trace where there is none'],
      ['`metadata.labels`, `metadata.is_truncated`', '`sample`; whether texts were cut'],
      ['`unmapped`', 'the rest, and in `fields` fields of your own'],
    ],
  },
  ecs: {
    what: 'Elastic Common Schema 9.4',
    checked: "names and types of Elastic's own table of ECS 9.4",
    notes:
      '`event.kind` is `alert`, which the rule *External Alerts* of Elastic Security promotes. Names under `spanwarden.` are ours; `gen_ai.*` is beta in ECS. [Template and pipeline](../collector/siem/elastic/README.md).',
    map: [['`labels`', 'fields of your own']],
  },
  splunk: {
    what: 'Event for the HTTP Event Collector, with the fields of the CIM data model Alerts',
    checked: 'what Splunk documents of the envelope; not run against Splunk',
    notes: '[Add-on](../collector/siem/splunk/README.md).',
    map: [
      ['`time`, `host`, `source`, `sourcetype`', 'when the collector took it in; collector; `spanwarden`; by kind'],
      ['`fields`', 'indexed: kind, severity, rule, agent and trace under `spanwarden_…`, and fields of your own'],
    ],
  },
  sentinel: {
    what: 'Row of a table of Microsoft Sentinel',
    checked: 'rules for names of columns; not run against Azure',
    notes:
      'Every row has every column. [Table, data collection rule and ASIM parsers](../collector/siem/sentinel/README.md).',
    map: [],
  },
  udm: {
    what: 'Event in the Unified Data Model of Google SecOps',
    checked: 'nothing official; names are those of the field list',
    notes: 'A `GENERIC_EVENT` with a `security_result` that alerts, and no longer does when it is closed.',
    map: [
      ['`metadata.product_log_id`', 'id of the event'],
      ['`metadata.event_timestamp`', 'when the collector took it in'],
      ['`metadata.product_event_type`', '`<kind>.<activity>`'],
      ['`principal.application`, `principal.user.userid`', 'agent or service; user'],
      ['`target.application`', 'tool'],
      ['`network.session_id`', 'session'],
      ['`security_result.rule_id`, `.rule_name`, `.rule_version`', 'rule, or the one that counts most'],
      ['`security_result.summary`, `.description`', 'title or headline; what happened'],
      ['`security_result.severity`, `.severity_details`', 'level'],
      [
        '`security_result.alert_state`, `.threat_status`',
        '`ALERTING`, `ACTIVE`; of what is closed `NOT_ALERTING`, `CLEARED`',
      ],
      ['`security_result.attack_details`', 'techniques and tactics'],
      ['`security_result.detection_fields`', 'evidence and tags'],
      ['`additional`', 'the rest, and in `fields` fields of your own'],
    ],
  },
  otlp: {
    what: 'LogRecord of OTLP, as JSON',
    checked: 'the rules of JSON in OTLP: strings for 64 bits, hex for ids',
    notes:
      'The destination puts it into a request. `security_rule.*` and `gen_ai.*` are OpenTelemetry’s own names, still in development there.',
    map: [
      ['`eventName`', '`spanwarden.finding` or `spanwarden.case`'],
      ['`body`', 'what happened'],
      ['`timeUnixNano`, `observedTimeUnixNano`', 'last seen; when the collector took it in'],
      ['`severityNumber`, `severityText`', 'level'],
      ['`traceId`, `spanId`', 'trace and span, where they are valid'],
    ],
  },
  cef: {
    what: 'ArcSight Common Event Format',
    checked: 'a strict parser written from the guide, and the Python package cefevent by hand',
    notes: 'In the message of a syslog frame. The class id is the id of the rule, and `case` for cases.',
    map: [['header', 'vendor, product, version, rule, title, severity']],
  },
  leef: {
    what: "IBM's Log Event Extended Format 2.0",
    checked: 'a strict parser written from the guide; not run against QRadar',
    notes:
      'In the message of a syslog frame. The event id is the id of the rule, and `case` for cases. Attributes are separated by `^`, because relays rewrite tabs. [QRadar](../collector/siem/qradar/README.md).',
    map: [['header', 'vendor, product, version, rule, delimiter']],
  },
};
