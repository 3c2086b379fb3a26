-- How long model calls took per interval: half of them at most p50, and so on.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean,
  quantilesTDigestMerge(0.5, 0.95, 0.99)(Durations) AS Quantiles
SELECT
  $__timeInterval(Time) AS time,
  Quantiles[1] AS p50,
  Quantiles[2] AS p95,
  Quantiles[3] AS p99
FROM agent_activity
WHERE OperationName IN ('chat', 'text_completion', 'generate_content') AND Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
  AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
  AND $__conditionalAll(clean(Model) = decodeURLComponent('${model:percentencode}'), $model)
GROUP BY time
ORDER BY time
SETTINGS $__adHocFilters('agent_activity')
