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
  Conversation String ${zstd},
  Hash String ${zstd},
  Text String ${zstd}
) ENGINE = ReplacingMergeTree
PARTITION BY Day
ORDER BY (Conversation, Hash)
TTL Day + toIntervalDay(${ttlDays})
SETTINGS ${tableSettings}`,
    `CREATE VIEW IF NOT EXISTS ${database}.otel_traces_full AS
SELECT span.* EXCEPT (MessagesOf, Hashes) REPLACE (if(
    empty(span.Hashes),
    span.SpanAttributes,
    mapUpdate(span.SpanAttributes, map('gen_ai.input.messages', concat('[', arrayStringConcat(
      arrayMap(hash -> if(mapContains(said.Texts, hash), said.Texts[hash], 'null'), span.Hashes), ','), ']')))
  ) AS SpanAttributes)
FROM (
  SELECT *, AgentName, ConversationId, UserId, ToolName, OperationName, RequestModel, InputTokens, OutputTokens,
    AttributeTypes, Facts, StitchedSession, SessionId, SessionSource,
    if(ConversationId = '', TraceId, ConversationId) AS MessagesOf,
    if(${letter} = 'r', splitByChar(' ', SpanAttributes['gen_ai.input.messages']), []) AS Hashes
  FROM ${database}.otel_traces
) AS span
${textsOf(database)}`,
  ];
}

/** The spans with every list in place that is stored as hashes, whatever its attribute. Letters tell which are. */
export function wholeSpansView(database: string): string[] {
  return [
    `CREATE OR REPLACE VIEW ${database}.otel_traces_full AS
SELECT span.* EXCEPT (MessagesOf, Letters) REPLACE (if(
    position(span.Letters, 'r') = 0,
    span.SpanAttributes,
    CAST(mapFromArrays(
      mapKeys(span.SpanAttributes),
      arrayMap(
        (value, place) -> if(substring(span.Letters, place, 1) = 'r', concat('[', arrayStringConcat(
          arrayMap(hash -> if(mapContains(said.Texts, hash), said.Texts[hash], 'null'), splitByChar(' ', value)), ','), ']'), value),
        mapValues(span.SpanAttributes),
        range(1, length(span.SpanAttributes) + 1))
    ) AS Map(LowCardinality(String), String))
  ) AS SpanAttributes)
FROM (
  SELECT *, AgentName, ConversationId, UserId, ToolName, OperationName, RequestModel, InputTokens, OutputTokens,
    AttributeTypes, Facts, StitchedSession, SessionId, SessionSource,
    if(ConversationId = '', TraceId, ConversationId) AS MessagesOf,
    splitByChar('|', toString(AttributeTypes))[1] AS Letters
  FROM ${database}.otel_traces
) AS span
${textsOf(database)}`,
  ];
}

/**
 * The same for lists whose messages had attributes of their own (letter k), which become those attributes again, for lists in an object (w), whose
 * first and last hash are of what stands around them, and for lists that we added (p). The letters say what stands there then, as under `full`.
 */
export function spreadSpansView(database: string): string[] {
  const texts =
    "arrayMap(hash -> if(mapContains(said.Texts, hash), said.Texts[hash], 'null'), splitByChar(' ', value))";
  const list = `concat('[', arrayStringConcat(${texts}, ','), ']')`;
  const within = `concat(${texts}[1], arrayStringConcat(arraySlice(${texts}, 2, -1), ','), ${texts}[-1])`;
  const isTyped = "startsWith(part.2, '[')";
  return [
    `CREATE OR REPLACE VIEW ${database}.otel_traces_full AS
SELECT span.* EXCEPT (MessagesOf, Letters, Whole) REPLACE (
  if(
    empty(span.Whole),
    span.SpanAttributes,
    CAST(mapFromArrays(arrayMap(each -> each.1, span.Whole), arrayMap(each -> each.2, span.Whole)) AS Map(LowCardinality(String), String))
  ) AS SpanAttributes,
  if(
    empty(span.Whole),
    toString(span.AttributeTypes),
    concat(arrayStringConcat(arrayMap(each -> each.3, span.Whole)), substring(toString(span.AttributeTypes), length(span.Letters) + 1))
  ) AS AttributeTypes)
FROM (
  SELECT span.*,
    if(NOT match(span.Letters, '[rpkw]'), [], arraySort(each -> each.1, arrayFlatten(arrayMap(
      (name, value, place) -> multiIf(
        substring(span.Letters, place, 1) = 'r', [(name, ${list}, 's')],
        substring(span.Letters, place, 1) = 'w', [(name, ${within}, 's')],
        substring(span.Letters, place, 1) = 'p', [(name, ${list}, 'o')],
        substring(span.Letters, place, 1) = 'k', arrayFlatten(arrayMap(
          (hash, number) -> arrayMap(
            part -> (
              concat(name, '.', toString(number - 1), '.', part.1),
              if(${isTyped}, JSONExtractString(part.2, 2), JSONExtractString(part.2)),
              if(${isTyped}, JSONExtractString(part.2, 1), 's')),
            JSONExtractKeysAndValuesRaw(said.Texts[hash])),
          splitByChar(' ', value), arrayEnumerate(splitByChar(' ', value)))),
        [(name, value, substring(span.Letters, place, 1))]),
      arrayMap(name -> toString(name), mapKeys(span.SpanAttributes)),
      mapValues(span.SpanAttributes),
      range(1, length(span.SpanAttributes) + 1))))) AS Whole
  FROM (
    SELECT *, AgentName, ConversationId, UserId, ToolName, OperationName, RequestModel, InputTokens, OutputTokens,
      AttributeTypes, Facts, StitchedSession, SessionId, SessionSource,
      if(ConversationId = '', TraceId, ConversationId) AS MessagesOf,
      splitByChar('|', toString(AttributeTypes))[1] AS Letters
    FROM ${database}.otel_traces
  ) AS span
  ${textsOf(database)}
) AS span`,
  ];
}

/** The texts of each conversation, for the rows of `span`. */
function textsOf(database: string): string {
  return `LEFT JOIN (
  SELECT Conversation, mapFromArrays(groupArray(Hash), groupArray(Text)) AS Texts
  FROM (SELECT Conversation, Hash, Text FROM ${database}.otel_messages LIMIT 1 BY Conversation, Hash)
  GROUP BY Conversation
) AS said ON said.Conversation = span.MessagesOf`;
}
