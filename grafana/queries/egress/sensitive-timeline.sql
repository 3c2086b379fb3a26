-- Calls per interval that had secrets or personal data in what they send, post, pay or execute, wherever it went, by its kind.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  $__timeInterval(Time) AS time,
  concat(if(Kind = 'outgoing_secret', 'secret: ', 'personal: '), clean(agent_values.Value)) AS What,
  sum(Spans) AS Value
FROM agent_values
WHERE Kind IN ('outgoing_secret', 'outgoing_pii') AND Time >= toStartOfHour($__fromTime) AND Time <= $__toTime
  AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
GROUP BY time, Kind, agent_values.Value
ORDER BY time, What
SETTINGS $__adHocFilters('agent_values')
