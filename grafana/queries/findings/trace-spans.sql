-- The spans of the trace in order, with the rules that fired on each.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean,
  decodeURLComponent('${trace_id:percentencode}') AS trace_id,
  (SELECT min(Start) FROM otel_traces_trace_id_ts WHERE TraceId = trace_id) AS trace_start,
  (SELECT max(End) + 1 FROM otel_traces_trace_id_ts WHERE TraceId = trace_id) AS trace_end
SELECT
  Timestamp AS Time,
  clean(SpanName) AS Span,
  OperationName AS Operation,
  clean(ToolName) AS Tool,
  leftUTF8(replaceRegexpAll(SpanAttributes['gen_ai.tool.call.arguments'], '[\\p{Cc}\\p{Cf}]', ' '), 500) AS Arguments,
  Duration,
  StatusCode AS Status,
  arrayStringConcat(arraySort(fired.Titles), ', ') AS Fired,
  SpanId AS Id
FROM otel_traces
LEFT JOIN (
  SELECT SpanId, groupUniqArray(RuleTitle) AS Titles
  FROM findings FINAL
  WHERE TraceId = trace_id
  GROUP BY SpanId
) AS fired USING (SpanId)
WHERE TraceId = trace_id
  AND Timestamp >= trace_start
  AND Timestamp <= trace_end
ORDER BY Time, Id
LIMIT 1000
SETTINGS $__adHocFilters('findings')
