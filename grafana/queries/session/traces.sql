-- Traces of the session in order. Follow one to see it as a tree.
-- include session/spans
SELECT
  min(spans.Timestamp) AS Time,
  clean(argMin(toString(SpanName), (ParentSpanId != '', spans.Timestamp))) AS `Begins with`,
  dateDiff('millisecond', min(spans.Timestamp), max(addNanoseconds(spans.Timestamp, Duration))) AS Duration,
  transform(any(found.Worst), [1, 2, 3, 4, 5], ['informational', 'low', 'medium', 'high', 'critical'], '') AS Worst,
  any(found.Findings) AS Findings,
  countIf(OperationName IN ('chat', 'generate_content', 'text_completion')) AS Models,
  countIf(OperationName = 'execute_tool') AS Tools,
  countIf(StatusCode IN ('Error', 'STATUS_CODE_ERROR')) AS Errors,
  spans.TraceId AS TraceId
FROM spans
LEFT JOIN (
  SELECT TraceId, max(Severity) AS Worst, count() AS Findings
  FROM findings FINAL
  WHERE TraceId IN (SELECT TraceId FROM trace_ids)
  GROUP BY TraceId
) AS found USING (TraceId)
GROUP BY TraceId
ORDER BY Time, TraceId
LIMIT 200
SETTINGS $__adHocFilters('otel_traces')
