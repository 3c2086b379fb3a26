-- Model calls per interval that proposed a call with consequences whose values only new content supplied, by what the call does. Most are
-- work as asked for: a reply to the sender, a payment of an invoice.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  $__timeInterval(Time) AS time,
  clean(agent_values.Value) AS Effect,
  sum(Spans) AS Value
FROM agent_values
WHERE Kind = 'untrusted_sink' AND Time >= toStartOfHour($__fromTime) AND Time <= $__toTime
  AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
GROUP BY time, agent_values.Value
ORDER BY time, Effect
SETTINGS $__adHocFilters('findings')
