-- What the agent does over time, by operation.
WITH
  names AS (SELECT DISTINCT Agent FROM session_activity WHERE Agent = decodeURLComponent('${agent:percentencode}'))
SELECT
  $__timeInterval(Time) AS time,
  sumIf(Spans, OperationName IN ('chat', 'generate_content', 'text_completion')) AS `model calls`,
  sumIf(Spans, OperationName = 'execute_tool') AS `tool calls`,
  sumIf(Spans, OperationName IN ('retrieval', 'embeddings', 'rerank')) AS retrieval,
  sumIf(Spans, OperationName IN ('invoke_agent', 'create_agent', 'invoke_workflow', 'plan')) AS `runs of agents`,
  sum(Spans) - `model calls` - `tool calls` - retrieval - `runs of agents` AS other
FROM agent_activity
WHERE Agent IN (SELECT Agent FROM names)
  AND Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
GROUP BY time
ORDER BY time
SETTINGS $__adHocFilters('agent_activity')
