-- The share of calls that failed over time; nothing where there were none.
WITH
  names AS (SELECT DISTINCT Agent FROM session_activity WHERE Agent = decodeURLComponent('${agent:percentencode}'))
SELECT
  $__timeInterval(Time) AS time,
  sumIf(Errors, OperationName IN ('chat', 'generate_content', 'text_completion'))
    / nullIf(sumIf(Spans, OperationName IN ('chat', 'generate_content', 'text_completion')), 0) AS `model calls`,
  sumIf(Errors, OperationName = 'execute_tool') / nullIf(sumIf(Spans, OperationName = 'execute_tool'), 0) AS `tool calls`
FROM agent_activity
WHERE Agent IN (SELECT Agent FROM names)
  AND Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
GROUP BY time
ORDER BY time
SETTINGS $__adHocFilters('agent_activity')
