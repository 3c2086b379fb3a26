-- Calls per interval of the ten tools called most; the rest is one series.
SELECT
  $__timeInterval(Time) AS time,
  if(ToolName IN (
    SELECT ToolName FROM agent_activity
    WHERE ToolName != '' AND Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
      AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
    GROUP BY ToolName ORDER BY sum(Spans) DESC, ToolName LIMIT 10
  ), ToolName, 'all others') AS Tool,
  sum(Spans) AS Value
FROM agent_activity
WHERE ToolName != '' AND Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
  AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
  AND $__conditionalAll(ToolName = decodeURLComponent('${tool:percentencode}'), $tool)
GROUP BY time, Tool
ORDER BY time, Tool
SETTINGS $__adHocFilters('agent_activity')
