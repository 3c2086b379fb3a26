import { tableSettings } from './otel-tables.ts';

const zstd = 'CODEC(ZSTD(1))';
const letter = `substring(toString(AttributeTypes), indexOf(mapKeys(SpanAttributes), 'gen_ai.input.messages'), 1)`;

/**
 * Messages that spans name by their hashes (`store.messages: once`), and the spans with their messages in place. A day has rows of
 * its own: what a span names was stored on the day of the span, and goes with it. A row that is sent twice is the same row.
 */
export function messageTables(database: string, ttlDays: number): string[] {
  return [
    `CREATE TABLE IF NOT EXISTS ${database}.otel_messages (
  Day Date ${zstd},
  SessionId String ${zstd},
  Hash String ${zstd},
  Text String ${zstd}
) ENGINE = ReplacingMergeTree
PARTITION BY Day
ORDER BY (SessionId, Hash)
TTL Day + toIntervalDay(${ttlDays})
SETTINGS ${tableSettings}`,
    `CREATE VIEW IF NOT EXISTS ${database}.otel_traces_full AS
SELECT span.* EXCEPT (MessageSession, Hashes) REPLACE (if(
    empty(span.Hashes),
    span.SpanAttributes,
    mapUpdate(span.SpanAttributes, map('gen_ai.input.messages', concat('[', arrayStringConcat(
      arrayMap(hash -> if(mapContains(said.Texts, hash), said.Texts[hash], 'null'), span.Hashes), ','), ']')))
  ) AS SpanAttributes)
FROM (
  SELECT *, AgentName, ConversationId, UserId, ToolName, OperationName, RequestModel, InputTokens, OutputTokens,
    AttributeTypes, Facts, if(ConversationId = '', TraceId, ConversationId) AS MessageSession,
    if(${letter} = 'r', splitByChar(' ', SpanAttributes['gen_ai.input.messages']), []) AS Hashes
  FROM ${database}.otel_traces
) AS span
LEFT JOIN (
  SELECT SessionId, mapFromArrays(groupArray(Hash), groupArray(Text)) AS Texts
  FROM (SELECT SessionId, Hash, Text FROM ${database}.otel_messages LIMIT 1 BY SessionId, Hash)
  GROUP BY SessionId
) AS said ON said.SessionId = span.MessageSession`,
  ];
}
