-- How long each tool took and how often it failed. Tools cost no tokens; a choice of a model does not count here.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean,
  quantilesTDigestMerge(0.5, 0.95, 0.99)(Durations) AS Quantiles
SELECT
  ToolName AS Tool,
  sum(Spans) AS Calls,
  sum(agent_activity.Errors) AS Errors,
  Errors / Calls AS `Error rate`,
  Quantiles[1] AS p50,
  Quantiles[2] AS p95,
  Quantiles[3] AS p99,
  sum(Duration) AS `Time in all`,
  clean(arrayStringConcat(arraySort(groupUniqArray(10)(toString(Agent))), ', ')) AS Agents,
  argMaxMerge(LastTraceId) AS TraceId
FROM agent_activity
WHERE ToolName != '' AND Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
  AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
GROUP BY ToolName
ORDER BY `Time in all` DESC, Tool
LIMIT 200
SETTINGS $__adHocFilters('agent_activity')
