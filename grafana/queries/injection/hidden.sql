-- Spans per interval with characters that people do not see, by kind.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  $__timeInterval(Time) AS time,
  clean(agent_values.Value) AS Kind,
  sum(Spans) AS Value
FROM agent_values
WHERE agent_values.Kind = 'hidden_unicode' AND Time >= toStartOfHour($__fromTime) AND Time <= $__toTime
  AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
GROUP BY time, agent_values.Value
ORDER BY time, Kind
SETTINGS $__adHocFilters('findings')
