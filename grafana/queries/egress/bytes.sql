-- Bytes that calls to domains outside sent per interval, by agent: the ten with most, the rest is one series.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  $__timeInterval(Time) AS time,
  if(Agent IN (
    SELECT Agent FROM agent_values
    WHERE Kind = 'external_domain' AND Time >= toStartOfHour($__fromTime) AND Time <= $__toTime
    GROUP BY Agent ORDER BY sum(Bytes) DESC, Agent LIMIT 10
  ), Agent, 'all others') AS Sender,
  sum(Bytes) AS Value
FROM agent_values
WHERE Kind = 'external_domain' AND Bytes > 0 AND Time >= toStartOfHour($__fromTime) AND Time <= $__toTime
  AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
  AND $__conditionalAll(clean(agent_values.Value) = decodeURLComponent('${domain:percentencode}'), $domain)
GROUP BY time, Sender
ORDER BY time, Sender
SETTINGS $__adHocFilters('agent_values')
