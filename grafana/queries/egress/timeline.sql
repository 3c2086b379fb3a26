-- Calls per interval to the ten domains named most; the rest is one series.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean,
  if(agent_values.Value IN (
    SELECT Value FROM agent_values
    WHERE Kind = 'external_domain' AND Time >= toStartOfHour($__fromTime) AND Time <= $__toTime
      AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
    GROUP BY Value ORDER BY sum(Spans) DESC, Value LIMIT 10
  ), agent_values.Value, 'all others') AS Named
SELECT
  $__timeInterval(Time) AS time,
  clean(Named) AS Domain,
  sum(Spans) AS Value
FROM agent_values
WHERE Kind = 'external_domain' AND Time >= toStartOfHour($__fromTime) AND Time <= $__toTime
  AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
  AND $__conditionalAll(clean(agent_values.Value) = decodeURLComponent('${domain:percentencode}'), $domain)
GROUP BY time, Named
ORDER BY time, Domain
SETTINGS $__adHocFilters('agent_values')
