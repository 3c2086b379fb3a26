-- One trace for Grafana's trace panel, which asks for exactly these column names: times in milliseconds, attributes as
-- key and value, statusCode 2 for an error. No LIMIT, it would cut the tree. Whoever includes it says which trace, and from when to
-- when. Lists whose messages are stored once are put together again, as the view otel_traces_full does it, but of this trace alone.
,
  arrayMap(
    (key, value, place) -> (toString(key), value, substring(splitByChar('|', toString(AttributeTypes))[1], place, 1)),
    mapKeys(SpanAttributes), mapValues(SpanAttributes), range(1, length(SpanAttributes) + 1)) AS attributes,
  part -> if(startsWith(part, '['), JSONExtractString(part, 2), JSONExtractString(part)) AS plain,
  hashes -> arrayMap(hash -> if(mapContains(said.Texts, hash), said.Texts[hash], 'null'), splitByChar(' ', hashes)) AS texts,
  arrayFlatten(arrayMap(
    attribute -> multiIf(
      attribute.3 IN ('r', 'p'),
      [(attribute.1, concat('[', arrayStringConcat(texts(attribute.2), ','), ']'))],
      attribute.3 = 'w',
      [(attribute.1, concat(
        texts(attribute.2)[1], arrayStringConcat(arraySlice(texts(attribute.2), 2, -1), ','), texts(attribute.2)[-1]))],
      attribute.3 = 'k',
      arrayFlatten(arrayMap(
        (hash, number) -> arrayMap(
          member -> (concat(attribute.1, '.', toString(number - 1), '.', member.1), plain(member.2)),
          JSONExtractKeysAndValuesRaw(said.Texts[hash])),
        splitByChar(' ', attribute.2), arrayEnumerate(splitByChar(' ', attribute.2)))),
      [(attribute.1, attribute.2)]),
    attributes)) AS whole
SELECT
  TraceId AS traceID,
  SpanId AS spanID,
  ParentSpanId AS parentSpanID,
  ServiceName AS serviceName,
  SpanName AS operationName,
  multiply(toUnixTimestamp64Nano(Timestamp), 0.000001) AS startTime,
  multiply(Duration, 0.000001) AS duration,
  arrayMap(attribute -> map('key', attribute.1, 'value', attribute.2), arraySort(attribute -> attribute.1, whole)) AS tags,
  arrayMap(key -> map('key', key, 'value', ResourceAttributes[key]), mapKeys(ResourceAttributes)) AS serviceTags,
  if(StatusCode IN ('Error', 'STATUS_CODE_ERROR'), 2, 0) AS statusCode,
  arrayMap(
    (name, timestamp, attributes) -> tuple(
      name,
      toString(toUnixTimestamp64Milli(timestamp)),
      arrayMap(key -> map('key', key, 'value', attributes[key]), mapKeys(attributes))
    )::Tuple(name String, timestamp String, fields Array(Map(String, String))),
    Events.Name, Events.Timestamp, Events.Attributes) AS logs,
  arrayMap(
    (trace, span, attributes) -> tuple(
      trace,
      span,
      arrayMap(key -> map('key', key, 'value', attributes[key]), mapKeys(attributes))
    )::Tuple(traceID String, spanID String, tags Array(Map(String, String))),
    Links.TraceId, Links.SpanId, Links.Attributes) AS references,
  SpanKind AS kind,
  StatusMessage AS statusMessage,
  ScopeName AS instrumentationLibraryName,
  ScopeVersion AS instrumentationLibraryVersion,
  TraceState AS traceState
FROM otel_traces
LEFT JOIN (
  SELECT Conversation, mapFromArrays(groupArray(Hash), groupArray(Text)) AS Texts
  FROM (
    SELECT Conversation, Hash, any(Text) AS Text
    FROM otel_messages
    WHERE Conversation IN (
      SELECT if(ConversationId = '', TraceId, ConversationId)
      FROM otel_traces
      WHERE TraceId = trace_id AND Timestamp >= trace_start AND Timestamp <= trace_end
        AND match(splitByChar('|', toString(AttributeTypes))[1], '[rpkw]')
    )
    GROUP BY Conversation, Hash
  )
  GROUP BY Conversation
) AS said ON said.Conversation = if(ConversationId = '', TraceId, ConversationId)
WHERE TraceId = trace_id
  AND Timestamp >= trace_start
  AND Timestamp <= trace_end
ORDER BY Timestamp, SpanId
