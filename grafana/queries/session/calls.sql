-- What the agent did, in order: each call of a model with the newest message it was given and its answer, each call of a tool with
-- arguments and result, what it cost and which rules fired on it. Messages that are stored once are looked up by their hash.
-- include session/spans
,
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 500) AS cut,
  part -> multiIf(
    JSONExtractString(part, 'type') = 'tool_call',
    concat(JSONExtractString(part, 'name'), '(', JSONExtractRaw(part, 'arguments'), ')'),
    JSONExtractString(part, 'type') = 'tool_call_response',
    concat('result: ', coalesce(
      nullIf(JSONExtractString(part, 'response'), ''), nullIf(JSONExtractRaw(part, 'response'), ''), JSONExtractRaw(part, 'result'))),
    JSONExtractString(part, 'content')) AS said,
--   The list that the message is the last one of, and the letter that tells whether hashes stand in its place: of one in an object the
--   last hash is of what stands behind the list.
  attributes -> if(mapContains(attributes, 'gen_ai.input.messages'), 'gen_ai.input.messages', 'input.value') AS list_of,
  (types, attributes) ->
    substring(splitByChar('|', toString(types))[1], indexOf(mapKeys(attributes), list_of(attributes)), 1) AS list_letter,
  (types, attributes) -> if(
    list_letter(types, attributes) IN ('r', 'p', 'w'),
    splitByChar(' ', attributes[list_of(attributes)])[if(list_letter(types, attributes) = 'w', -2, -1)], '') AS last_hash,
  message -> arrayStringConcat(arrayMap(part -> said(part), JSONExtractArrayRaw(message, 'parts')), ' · ') AS told,
--   Other emitters have other messages.
  message -> coalesce(nullIf(told(message), ''), nullIf(JSONExtractString(message, 'content'), ''), message) AS newest
SELECT
  call.Timestamp AS Time,
  multiIf(
    OperationName IN ('chat', 'generate_content', 'text_completion'), 'model',
    OperationName = 'execute_tool' OR ToolName != '', 'tool',
    toString(OperationName)) AS Kind,
  clean(multiIf(Kind = 'tool', toString(ToolName), Kind = 'model', toString(RequestModel), toString(SpanName))) AS Name,
  transform(fired.Worst, [1, 2, 3, 4, 5], ['informational', 'low', 'medium', 'high', 'critical'], '') AS Worst,
  clean(arrayStringConcat(arraySort(fired.Titles), ', ')) AS Findings,
  cut(multiIf(
    Kind = 'tool', SpanAttributes['gen_ai.tool.call.arguments'],
    stored.Text != '', newest(stored.Text),
    LastMessage != '', newest(LastMessage),
    SpanAttributes['input.value'])) AS `Arguments or newest message`,
  cut(multiIf(
    Kind = 'tool', SpanAttributes['gen_ai.tool.call.result'],
    SpanAttributes['gen_ai.output.messages'] != '',
    arrayStringConcat(
      arrayMap(message -> told(message), JSONExtractArrayRaw(SpanAttributes['gen_ai.output.messages'])), ' · '),
    SpanAttributes['output.value'])) AS `Result or answer`,
  Duration,
  if(Kind = 'model', toUInt64OrNull(Facts['spanwarden.usage.input_tokens'][1]), NULL) AS `In`,
  if(Kind = 'model', toUInt64OrNull(Facts['spanwarden.usage.output_tokens'][1]), NULL) AS `Out`,
  toFloat64OrNull(Facts['spanwarden.usage.cost_usd'][1]) AS Cost,
  if(StatusCode IN ('Error', 'STATUS_CODE_ERROR'), if(StatusMessage = '', 'error', clean(StatusMessage)), '') AS Failed,
  clean(SpanAttributes['spanwarden.decision']) AS Decision,
  clean(AgentName) AS Agent,
  call.TraceId AS TraceId,
  call.SpanId AS Span
FROM (
  SELECT
    *,
    SpanAttributes[list_of(SpanAttributes)] AS List,
    last_hash(AttributeTypes, SpanAttributes) AS LastHash,
    multiIf(
      LastHash != '', '',
      startsWith(List, '['), JSONExtractRaw(List, -1),
      startsWith(JSONExtractRaw(List, 'messages', 1), '['), JSONExtractRaw(List, 'messages', 1, -1),
      JSONExtractRaw(List, 'messages', -1)) AS LastMessage
  FROM spans
  WHERE OperationName != '' OR ToolName != ''
  ORDER BY Timestamp, SpanId
  LIMIT 1000
) AS call
LEFT JOIN (
  SELECT Hash, any(Text) AS Text
  FROM otel_messages
  WHERE Conversation IN (SELECT DISTINCT if(ConversationId = '', TraceId, ConversationId) FROM spans)
    AND Hash IN (SELECT last_hash(AttributeTypes, SpanAttributes) FROM spans)
  GROUP BY Hash
) AS stored ON stored.Hash = call.LastHash
LEFT JOIN (
  SELECT TraceId, SpanId, groupUniqArray(10)(toString(RuleTitle)) AS Titles, max(Severity) AS Worst
  FROM findings FINAL
  WHERE TraceId IN (SELECT TraceId FROM trace_ids)
  GROUP BY TraceId, SpanId
) AS fired ON fired.TraceId = call.TraceId AND fired.SpanId = call.SpanId
ORDER BY Time, Span
LIMIT 1000
SETTINGS $__adHocFilters('otel_traces')
