-- Tokens per interval: those sent anew, those read from the provider's cache, those received.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  $__timeInterval(Time) AS time,
  sum(InputTokens) - least(sum(CachedTokens), sum(InputTokens)) AS `in`,
  sum(CachedTokens) AS `in from cache`,
  sum(OutputTokens) AS out
FROM agent_activity
WHERE Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
  AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
  AND $__conditionalAll(clean(Model) = decodeURLComponent('${model:percentencode}'), $model)
GROUP BY time
HAVING `in` + `in from cache` + out > 0
ORDER BY time
SETTINGS $__adHocFilters('agent_activity')
