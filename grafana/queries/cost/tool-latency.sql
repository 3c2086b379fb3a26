-- The 95th percentile of the duration of tool calls per interval, of the ten tools that took most time.
SELECT
  $__timeInterval(Time) AS time,
  ToolName AS Tool,
  quantilesTDigestMerge(0.5, 0.95, 0.99)(Durations)[2] AS Value
FROM agent_activity
WHERE ToolName != '' AND Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
  AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
  AND ToolName IN (
    SELECT ToolName FROM agent_activity
    WHERE ToolName != '' AND Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
      AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
    GROUP BY ToolName ORDER BY sum(Duration) DESC, ToolName LIMIT 10
  )
GROUP BY time, Tool
ORDER BY time, Tool
SETTINGS $__adHocFilters('agent_activity')
