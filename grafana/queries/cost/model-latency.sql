-- The 95th percentile of the duration of model calls per interval, of the ten models that took most time.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  $__timeInterval(Time) AS time,
  clean(Model) AS Answered,
  quantilesTDigestMerge(0.5, 0.95, 0.99)(Durations)[2] AS Value
FROM agent_activity
WHERE OperationName IN ('chat', 'text_completion', 'generate_content') AND Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
  AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
  AND $__conditionalAll(clean(Model) = decodeURLComponent('${model:percentencode}'), $model)
  AND Model IN (
    SELECT Model FROM agent_activity
    WHERE OperationName IN ('chat', 'text_completion', 'generate_content') AND Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
      AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
    GROUP BY Model ORDER BY sum(Duration) DESC, Model LIMIT 10
  )
GROUP BY time, Answered
ORDER BY time, Answered
SETTINGS $__adHocFilters('agent_activity')
