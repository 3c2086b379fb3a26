-- US dollars per interval of the ten dearest models; the rest is one series.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  $__timeInterval(Time) AS time,
  if(Model IN (
    SELECT Model FROM agent_activity
    WHERE Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
      AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
      AND $__conditionalAll(clean(Model) = decodeURLComponent('${model:percentencode}'), $model)
    GROUP BY Model ORDER BY sum(CostUsd) DESC, Model LIMIT 10
  ), clean(Model), 'all others') AS Answered,
  sum(CostUsd) AS Value
FROM agent_activity
WHERE CostUsd > 0 AND Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
  AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
  AND $__conditionalAll(clean(Model) = decodeURLComponent('${model:percentencode}'), $model)
GROUP BY time, Answered
ORDER BY time, Answered
SETTINGS $__adHocFilters('agent_activity')
