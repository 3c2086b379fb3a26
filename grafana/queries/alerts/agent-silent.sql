-- Hours since the last span of agents that were busy day and night: in 20 of the 24 hours before it. Those that work in office hours
-- are none of them. An agent is a service and, where spans say one, a name; both are written by senders, so they are cut and cleaned,
-- once for each agent. It reads what spans add up to, not the spans.
WITH text -> leftUTF8(replaceRegexpAll(toString(text), '[\\p{Cc}\\p{Cf}]', ' '), 100) AS clean
SELECT clean(ServiceName) AS service, clean(if(Agent = ServiceName, '', Agent)) AS agent, toFloat64(min(hours)) AS value
FROM (
  SELECT ServiceName, toString(Agent) AS Agent, dateDiff('second', max(LastSeen), now64(9)) / 3600 AS hours
  FROM agent_activity
  WHERE Time > now() - INTERVAL 2 DAY AND LastSeen <= now() AND ServiceName != 'spanwarden-collector'
  GROUP BY ServiceName, Agent
  HAVING arrayCount(hour -> hour > max(LastSeen) - INTERVAL 1 DAY, groupUniqArray(toStartOfHour(Time))) >= 20
)
GROUP BY service, agent
ORDER BY value DESC, service, agent
LIMIT 200
