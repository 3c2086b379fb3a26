-- US dollars per interval of the ten dearest agents; the rest is one series.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  $__timeInterval(Time) AS time,
  if(Agent IN (
    SELECT Agent FROM agent_activity
    WHERE Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
      AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
      AND $__conditionalAll(clean(Model) = decodeURLComponent('${model:percentencode}'), $model)
    GROUP BY Agent ORDER BY sum(CostUsd) DESC, Agent LIMIT 10
  ), Agent, 'all others') AS Spender,
  sum(CostUsd) AS Value
FROM agent_activity
WHERE CostUsd > 0 AND Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
  AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
  AND $__conditionalAll(clean(Model) = decodeURLComponent('${model:percentencode}'), $model)
GROUP BY time, Spender
ORDER BY time, Spender
SETTINGS $__adHocFilters('agent_activity')
