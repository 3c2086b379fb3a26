-- Hours since the last span of agents that were busy day and night: in 20 of the 24 hours before it. Those that work in office hours
-- are none of them. An agent is a service and, where spans say one, a name; both are written by senders, so they are cut and cleaned. It
-- reads what spans add up to, not the spans.
WITH text -> leftUTF8(replaceRegexpAll(toString(text), '[\\p{Cc}\\p{Cf}]', ' '), 100) AS clean
SELECT
  clean(ServiceName) AS service,
  clean(if(Agent = ServiceName, '', toString(Agent))) AS agent,
  toFloat64(dateDiff('second', max(LastSeen), now64(9)) / 3600) AS value
FROM agent_activity
WHERE Time > now() - INTERVAL 2 DAY AND LastSeen <= now() AND ServiceName != 'spanwarden-collector'
GROUP BY service, agent
HAVING arrayCount(hour -> hour > max(LastSeen) - INTERVAL 1 DAY, groupUniqArray(toStartOfHour(Time))) >= 20
ORDER BY value DESC, service, agent
LIMIT 200
