-- Where values in arguments came from. Of a model call: values that only a tool result or document supplied, and the call whose result
-- had each of them first. Of rules that follow values: what they noted as evidence, `<value> of <source> in <call>`.
-- include session/spans
,
  (
    SELECT groupArray(300)((Timestamp, concat(if(ToolName = '', toString(SpanName), toString(ToolName)), ' (', SpanId, ')'), Result))
    FROM (
      SELECT
        Timestamp, ToolName, SpanName, SpanId,
        lowerUTF8(substringUTF8(
          concat(SpanAttributes['gen_ai.tool.call.result'], SpanAttributes['gen_ai.retrieval.documents']), 1, 50000)) AS Result
      FROM spans
      WHERE mapContains(SpanAttributes, 'gen_ai.tool.call.result') OR mapContains(SpanAttributes, 'gen_ai.retrieval.documents')
      ORDER BY Timestamp, SpanId
    )
  ) AS results
SELECT
  Moment AS Time,
  leftUTF8(replaceRegexpAll(Part, '[\\p{Cc}\\p{Cf}]', ' '), 500) AS Argument,
  leftUTF8(replaceRegexpAll(Brought, '[\\p{Cc}\\p{Cf}]', ' '), 500) AS Value,
  if(Source = '', 'a message of the call', clean(Source)) AS `Came from`,
  clean(Effect) AS Effect,
  clean(By) AS `Told by`,
  Trace AS TraceId
FROM (
  SELECT
    Timestamp AS Moment,
    substring(item, 1, position(item, '=') - 1) AS Part,
    substring(item, position(item, '=') + 1) AS Brought,
    arrayFirst(result -> result.1 <= addNanoseconds(Timestamp, Duration) AND position(result.3, Brought) > 0, results).2 AS Source,
    concat(
      if(has(Facts['spanwarden.flow.untrusted_destinations'], item), 'destination of ', ''),
      arrayStringConcat(Facts['spanwarden.flow.sink_kinds'], ', ')) AS Effect,
    concat(toString(SpanName), ' (', SpanId, ')') AS By,
    TraceId AS Trace
  FROM spans
  ARRAY JOIN Facts['spanwarden.flow.untrusted_arguments'] AS item
  UNION ALL
  SELECT
    Timestamp,
    extract(noted.Excerpt, ' in (.*) \\([0-9a-f]{16}\\)$'),
    extract(noted.Excerpt, '^(.*) of .* \\([0-9a-f]{16}\\) in '),
    extract(noted.Excerpt, ' of (.* \\([0-9a-f]{16}\\)) in '),
    concat(noted.Wanted, ', ', noted.Field),
    toString(RuleTitle),
    TraceId
  FROM findings FINAL
  ARRAY JOIN Evidence AS noted
  WHERE TraceId IN (SELECT TraceId FROM trace_ids)
    AND match(noted.Field, '^\\w+ by (?:value|decoded|ngram)$')
)
ORDER BY Time, Argument, Value
LIMIT 200
SETTINGS $__adHocFilters('otel_traces')
