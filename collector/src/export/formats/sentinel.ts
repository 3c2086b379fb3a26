import type { Format } from '../contract.ts';
import { type Facts, factsOf } from './facts.ts';
import { fitted } from './fit.ts';
import { tacticsOf } from './frameworks.ts';
import { techniqueIds } from './pairs.ts';
import { cutBytes, jsonText } from './text.ts';
import { isoOfMillis, isoOfNanos } from './times.ts';

/**
 * A row for a custom table of Microsoft Sentinel through the Logs Ingestion API, https://learn.microsoft.com/azure/azure-monitor/logs/logs-ingestion-api-overview.
 * The destination puts rows into an array. Table, stream and KQL parsers are made of the same columns.
 */
export function sentinel(): Format {
  return {
    contentType: 'application/json',
    encode: fitted((event, context, isCut) => jsonText(row(factsOf(event, context, isCut)))),
  };
}

/** Its name, and the stream's, which begins with `Custom-`. */
export const sentinelTable = 'Spanwarden_CL';

export interface SentinelColumn {
  readonly name: string;
  readonly type: 'datetime' | 'string' | 'long' | 'boolean' | 'dynamic';
  readonly says: string;
  of(facts: Facts): unknown;
}

/** All of them stand in every row, so that a missing column is never a matter of the event. */
export const sentinelColumns: readonly SentinelColumn[] = [
  {
    name: 'TimeGenerated',
    type: 'datetime',
    says: 'when the collector took it in',
    of: ({ takenMs }) => isoOfMillis(takenMs),
  },
  { name: 'EventUid', type: 'string', says: 'id of the event', of: ({ eventId }) => eventId },
  { name: 'EventKind', type: 'string', says: '`finding` or `case`', of: ({ kind }) => kind },
  { name: 'Activity', type: 'string', says: '`create`, `update` or `close`', of: ({ activity }) => activity },
  { name: 'AlertId', type: 'string', says: 'id of the finding or the case', of: ({ id }) => id },
  { name: 'AlertName', type: 'string', says: 'title of the rule, headline of the case', of: ({ title }) => title },
  { name: 'AlertDescription', type: 'string', says: 'what happened', of: ({ message }) => message },
  { name: 'CaseId', type: 'string', says: 'case', of: ({ caseId }) => caseId },
  { name: 'Severity', type: 'string', says: 'severity in the words of ASIM', of: ({ severity }) => severity.asim },
  { name: 'OriginalSeverity', type: 'string', says: 'level', of: ({ level }) => level },
  { name: 'IsSample', type: 'boolean', says: 'whether it is a sample', of: ({ isSample }) => isSample },
  { name: 'IsCut', type: 'boolean', says: 'whether texts were cut', of: ({ isCut }) => isCut },
  { name: 'StartTime', type: 'datetime', says: 'first seen', of: ({ firstNanos }) => isoOfNanos(firstNanos) },
  { name: 'EndTime', type: 'datetime', says: 'last seen', of: ({ lastNanos }) => isoOfNanos(lastNanos) },
  { name: 'SeenCount', type: 'long', says: 'how often it was seen', of: ({ count }) => count },
  { name: 'FindingCount', type: 'long', says: 'different findings', of: ({ findings }) => findings },
  { name: 'RuleId', type: 'string', says: 'rule, or the one that counts most', of: ({ ruleId }) => ruleId },
  { name: 'RuleName', type: 'string', says: 'its title', of: ({ ruleTitle }) => ruleTitle },
  { name: 'RuleVersion', type: 'string', says: 'its version', of: ({ ruleVersion }) => ruleVersion },
  { name: 'RuleIds', type: 'dynamic', says: 'rules', of: ({ ruleIds }) => ruleIds },
  { name: 'RuleTags', type: 'dynamic', says: 'tags of the rule', of: ({ tags }) => tags },
  { name: 'AttackTechniques', type: 'dynamic', says: 'techniques of ATT&CK and ATLAS', of: techniqueIds },
  { name: 'AttackTactics', type: 'dynamic', says: 'tactics, by name', of: tacticNames },
  { name: 'Response', type: 'string', says: 'what the rule asks for', of: ({ response }) => response },
  { name: 'AgentName', type: 'string', says: 'agent', of: ({ agent }) => agent },
  { name: 'AgentNames', type: 'dynamic', says: 'agents', of: ({ agents }) => agents },
  { name: 'ServiceName', type: 'string', says: 'service', of: ({ service }) => service },
  { name: 'ToolName', type: 'string', says: 'tool', of: ({ tool }) => tool },
  { name: 'ToolNames', type: 'dynamic', says: 'tools', of: ({ tools }) => tools },
  { name: 'UserId', type: 'string', says: 'user', of: ({ user }) => user },
  { name: 'UserIds', type: 'dynamic', says: 'users', of: ({ users }) => users },
  { name: 'SessionId', type: 'string', says: 'session', of: ({ session }) => session },
  { name: 'TraceId', type: 'string', says: 'trace', of: ({ traceId }) => traceId },
  { name: 'TraceIds', type: 'dynamic', says: 'traces', of: ({ traceIds }) => traceIds },
  { name: 'SpanId', type: 'string', says: 'span', of: ({ spanId }) => spanId },
  { name: 'SpanName', type: 'string', says: 'name of the span', of: ({ spanName }) => spanName },
  { name: 'Evidence', type: 'dynamic', says: 'the evidence', of: ({ evidence }) => evidence },
  { name: 'Link', type: 'string', says: 'where people can look at it', of: ({ link }) => link },
  { name: 'Collector', type: 'string', says: 'the collector', of: ({ host }) => host },
  { name: 'CollectorVersion', type: 'string', says: 'its version', of: ({ product }) => product.version },
  { name: 'AdditionalFields', type: 'dynamic', says: 'the fields of the user', of: ({ extra }) => extra },
];

/** The service cuts a value at 64 KB, without a mark. */
const valueBytesMax = 60_000;

function row(facts: Facts): Record<string, unknown> {
  return Object.fromEntries(
    sentinelColumns.map(({ name, of }) => {
      const value = of(facts);
      return [name, typeof value === 'string' ? cutBytes(value, valueBytesMax) : value];
    }),
  );
}

/** The names that ASIM has are those of ATT&CK without spaces; tactics without one stand by their id. */
function tacticNames({ tags }: Facts): string[] {
  return tacticsOf(tags).map(({ id, name }) => (name === '' ? id : name.replaceAll(' ', '')));
}
