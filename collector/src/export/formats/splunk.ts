import type { Format } from '../contract.ts';
import { type Facts, factsOf } from './facts.ts';
import { fitted } from './fit.ts';
import { tacticsOf } from './frameworks.ts';
import { extraPairs, techniqueIds } from './pairs.ts';
import { cutBytes, jsonText } from './text.ts';
import { isoOfNanos } from './times.ts';

/**
 * One event for Splunk's HTTP Event Collector, https://docs.splunk.com/Documentation/Splunk/latest/Data/FormateventsforHTTPEventCollector:
 * the envelope, and in `event` the fields of the data model Alerts of CIM together with ours. Where it goes (`index`) is the
 * token's, or the destination's.
 */
export function splunk(): Format {
  return {
    contentType: 'application/json',
    encode: fitted((event, context, isCut) => jsonText(envelope(factsOf(event, context, isCut)))),
  };
}

/** sourcetype of each kind of event; the add-on knows them. */
export const splunkSourcetypes = { finding: 'spanwarden:finding', case: 'spanwarden:case' } as const;

export interface SplunkField {
  readonly name: string;
  /** A field of CIM's Alerts; others are ours. */
  readonly isCim?: true;
  readonly says: string;
  of(facts: Facts): string | number | boolean | readonly string[];
}

/** Members of `event`. https://docs.splunk.com/Documentation/CIM/latest/User/Alerts */
export const splunkFields: readonly SplunkField[] = [
  { name: 'id', isCim: true, says: 'id of the finding or the case', of: ({ id }) => id },
  { name: 'type', isCim: true, says: '`alert`', of: () => 'alert' },
  { name: 'app', isCim: true, says: '`spanwarden`', of: () => 'spanwarden' },
  { name: 'vendor_product', isCim: true, says: 'who found it', of: ({ product }) => product.name },
  { name: 'signature', isCim: true, says: 'title of the rule, headline of the case', of: ({ title }) => title },
  { name: 'signature_id', isCim: true, says: 'rule, or the one that counts most', of: ({ ruleId }) => ruleId },
  { name: 'description', isCim: true, says: 'what happened', of: ({ message }) => message },
  { name: 'severity', isCim: true, says: 'level', of: ({ severity }) => severity.splunk },
  { name: 'severity_id', isCim: true, says: 'OCSF severity_id', of: ({ severity }) => severity.ocsf },
  { name: 'dest', isCim: true, says: 'agent', of: ({ agent, service }) => agent || service },
  { name: 'src', isCim: true, says: 'service', of: ({ service }) => service },
  { name: 'user', isCim: true, says: 'user', of: ({ user }) => user },
  { name: 'mitre_technique_id', isCim: true, says: 'techniques of ATT&CK and ATLAS', of: techniqueIds },
  { name: 'event_id', says: 'id of the event', of: ({ eventId }) => eventId },
  { name: 'kind', says: '`finding` or `case`', of: ({ kind }) => kind },
  { name: 'activity', says: '`create`, `update` or `close`', of: ({ activity }) => activity },
  { name: 'case_id', says: 'case', of: ({ caseId }) => caseId },
  { name: 'is_sample', says: 'whether it is a sample', of: ({ isSample }) => isSample },
  { name: 'is_cut', says: 'whether texts were cut', of: ({ isCut }) => isCut },
  { name: 'first_seen', says: 'first seen', of: ({ firstNanos }) => isoOfNanos(firstNanos) },
  { name: 'last_seen', says: 'last seen', of: ({ lastNanos }) => isoOfNanos(lastNanos) },
  { name: 'count', says: 'how often it was seen', of: ({ count }) => count },
  { name: 'findings', says: 'different findings', of: ({ findings }) => findings },
  { name: 'rule_ids', says: 'rules', of: ({ ruleIds }) => ruleIds },
  { name: 'rule_version', says: 'version of the rule', of: ({ ruleVersion }) => ruleVersion },
  { name: 'rule_tags', says: 'tags of the rule', of: ({ tags }) => tags },
  { name: 'mitre_tactic_id', says: 'tactics', of: ({ tags }) => tacticsOf(tags).map(({ id }) => id) },
  { name: 'response', says: 'what the rule asks for', of: ({ response }) => response },
  { name: 'agent', says: 'agent', of: ({ agent }) => agent },
  { name: 'agents', says: 'agents', of: ({ agents }) => agents },
  { name: 'tool', says: 'tool', of: ({ tool }) => tool },
  { name: 'tools', says: 'tools', of: ({ tools }) => tools },
  { name: 'users', says: 'users', of: ({ users }) => users },
  { name: 'session_id', says: 'session', of: ({ session }) => session },
  { name: 'trace_id', says: 'trace', of: ({ traceId }) => traceId },
  { name: 'trace_ids', says: 'traces', of: ({ traceIds }) => traceIds },
  { name: 'span_id', says: 'span', of: ({ spanId }) => spanId },
  { name: 'span_name', says: 'name of the span', of: ({ spanName }) => spanName },
  { name: 'evidence', says: 'the evidence', of: ({ evidence }) => evidence },
  { name: 'link', says: 'where people can look at it', of: ({ link }) => link },
];

/**
 * Fields that are indexed, for fast searches without the event. Their names are none of the event's: Splunk would show a field that is
 * both indexed and read out of the JSON with two values.
 */
const indexed: Readonly<Record<string, (facts: Facts) => string>> = {
  spanwarden_kind: ({ kind }) => kind,
  spanwarden_severity: ({ severity }) => severity.splunk,
  spanwarden_rule_id: ({ ruleId }) => ruleId,
  spanwarden_agent: ({ agent }) => agent,
  spanwarden_trace_id: ({ traceId }) => traceId,
};

/** Splunk reads no more of an indexed field. */
const indexedBytesMax = 1000;

const taken = new Set([
  ...splunkFields.map(({ name }) => name),
  ...Object.keys(indexed),
  'host',
  'source',
  'sourcetype',
  'index',
]);

function envelope(facts: Facts): Record<string, unknown> {
  const fields = [
    ...Object.entries(indexed).map(([name, of]): [string, string] => [name, of(facts)]),
    ...extraPairs(facts, taken),
  ];
  return {
    // Seconds with their fraction.
    time: facts.takenMs / 1000,
    host: facts.host || undefined,
    source: 'spanwarden',
    sourcetype: splunkSourcetypes[facts.kind],
    event: Object.fromEntries(
      splunkFields.map(({ name, of }) => [name, of(facts)]).filter(([, value]) => isSome(value)),
    ),
    fields: Object.fromEntries(
      fields.filter(([, value]) => value !== '').map(([name, value]) => [name, cutBytes(value, indexedBytesMax)]),
    ),
  };
}

function isSome(value: unknown): boolean {
  return value !== '' && !(Array.isArray(value) && value.length === 0);
}
