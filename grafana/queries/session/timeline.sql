-- Calls of the session over time.
-- include session/spans
SELECT
  $__timeInterval(Timestamp) AS time,
  countIf(OperationName IN ('chat', 'generate_content', 'text_completion')) AS `model calls`,
  countIf(OperationName = 'execute_tool') AS `tool calls`,
  countIf(OperationName != '') - `model calls` - `tool calls` AS other
FROM spans
WHERE OperationName != ''
GROUP BY time
ORDER BY time
SETTINGS $__adHocFilters('otel_traces')
