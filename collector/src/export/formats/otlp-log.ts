import type { Format } from '../contract.ts';
import { type Facts, factsOf } from './facts.ts';
import { fitted } from './fit.ts';
import { techniqueIds } from './pairs.ts';
import { jsonText } from './text.ts';

/**
 * A LogRecord in the JSON of OTLP/HTTP, https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding: 64-bit numbers are strings, ids
 * are hex. The destination puts records into `resourceLogs[].scopeLogs[].logRecords`. Every OTLP/HTTP receiver must take JSON beside
 * protobuf, so protobuf is not written.
 */
export function otlpLog(): Format {
  return {
    contentType: 'application/json',
    encode: fitted((event, context, isCut) => jsonText(logRecord(factsOf(event, context, isCut)))),
  };
}

type AttributeValue = string | number | boolean | readonly string[];

/** An attribute of the record. */
export interface OtlpAttribute {
  readonly key: string;
  readonly says: string;
  of(facts: Facts): AttributeValue;
}

/** https://opentelemetry.io/docs/specs/semconv/registry/attributes/ has the names outside `spanwarden.`. */
export const otlpAttributes: readonly OtlpAttribute[] = [
  { key: 'spanwarden.event.id', says: 'id of the event', of: ({ eventId }) => eventId },
  { key: 'spanwarden.activity', says: '`create`, `update` or `close`', of: ({ activity }) => activity },
  { key: 'spanwarden.finding.id', says: 'finding', of: ({ kind, id }) => (kind === 'finding' ? id : '') },
  { key: 'spanwarden.case.id', says: 'case', of: ({ caseId }) => caseId },
  { key: 'spanwarden.title', says: 'title of the rule, headline of the case', of: ({ title }) => title },
  { key: 'spanwarden.level', says: 'level', of: ({ level }) => level },
  { key: 'spanwarden.is_sample', says: 'whether it is a sample', of: ({ isSample }) => isSample },
  { key: 'spanwarden.is_cut', says: 'whether texts were cut', of: ({ isCut }) => isCut },
  { key: 'spanwarden.count', says: 'how often it was seen', of: ({ count }) => count },
  { key: 'spanwarden.findings', says: 'different findings', of: ({ findings }) => findings },
  { key: 'spanwarden.first_seen_unix_nano', says: 'first seen', of: ({ firstNanos }) => String(firstNanos) },
  { key: 'spanwarden.techniques', says: 'techniques of ATT&CK and ATLAS', of: techniqueIds },
  { key: 'spanwarden.tags', says: 'tags of the rule', of: ({ tags }) => tags },
  { key: 'spanwarden.evidence', says: 'the evidence', of: ({ evidence }) => evidence },
  { key: 'spanwarden.rule_ids', says: 'rules', of: ({ ruleIds }) => ruleIds },
  { key: 'spanwarden.link', says: 'where people can look at it', of: ({ link }) => link },
  { key: 'spanwarden.collector', says: 'the collector', of: ({ host }) => host },
  { key: 'spanwarden.service.name', says: 'service', of: ({ service }) => service },
  { key: 'spanwarden.span.name', says: 'span', of: ({ spanName }) => spanName },
  { key: 'spanwarden.agents', says: 'agents', of: ({ agents }) => agents },
  { key: 'spanwarden.trace_ids', says: 'traces', of: ({ traceIds }) => traceIds },
  { key: 'security_rule.uuid', says: 'rule, or the one that counts most', of: ({ ruleId }) => ruleId },
  { key: 'security_rule.name', says: 'its title', of: ({ ruleTitle }) => ruleTitle },
  { key: 'security_rule.version', says: 'its version', of: ({ ruleVersion }) => ruleVersion },
  { key: 'gen_ai.agent.name', says: 'agent', of: ({ agent }) => agent },
  { key: 'gen_ai.tool.name', says: 'tool', of: ({ tool }) => tool },
  { key: 'gen_ai.conversation.id', says: 'conversation', of: ({ conversation }) => conversation },
  { key: 'session.id', says: 'session', of: ({ session }) => session },
  { key: 'user.id', says: 'user', of: ({ user }) => user },
];

const ownKeys = new Set(otlpAttributes.map(({ key }) => key));

function logRecord(facts: Facts): Record<string, unknown> {
  const own = otlpAttributes.map(({ key, of }): [string, AttributeValue] => [key, of(facts)]);
  const extra = Object.entries(facts.extra).filter(([key]) => !ownKeys.has(key));
  return {
    timeUnixNano: String(facts.lastNanos),
    observedTimeUnixNano: String(BigInt(facts.takenMs) * 1_000_000n),
    severityNumber: facts.severity.otlp,
    severityText: facts.severity.otlpText,
    eventName: `spanwarden.${facts.kind}`,
    body: { stringValue: facts.message },
    attributes: [...own, ...extra].filter(([, value]) => value !== '').map(([key, value]) => keyValue(key, value)),
    // Receivers refuse the whole request for an id of another length.
    traceId: /^(?!0+$)[0-9a-f]{32}$/.test(facts.traceId) ? facts.traceId : undefined,
    spanId: /^(?!0+$)[0-9a-f]{16}$/.test(facts.spanId) ? facts.spanId : undefined,
  };
}

function keyValue(key: string, value: AttributeValue) {
  return { key, value: anyValue(value) };
}

function anyValue(value: AttributeValue): Record<string, unknown> {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'number') return { intValue: String(value) };
  if (typeof value === 'boolean') return { boolValue: value };
  return { arrayValue: { values: value.map((text) => ({ stringValue: text })) } };
}
