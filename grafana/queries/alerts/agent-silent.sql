-- Hours since the last span of agents that were busy day and night: in 20 of the 24 hours before it. Those that work in office hours
-- are none of them. An agent is a service and, where spans say one, a name; both are written by senders, so they are cut and cleaned.
WITH text -> leftUTF8(replaceRegexpAll(toString(text), '[\\p{Cc}\\p{Cf}]', ' '), 100) AS clean
SELECT
  clean(ServiceName) AS service,
  clean(AgentName) AS agent,
  toFloat64(dateDiff('second', max(Timestamp), now64(9)) / 3600) AS value
FROM otel_traces
WHERE Timestamp > now() - INTERVAL 2 DAY AND Timestamp <= now() AND ServiceName != 'spanwarden-collector'
GROUP BY service, agent
HAVING arrayCount(hour -> hour > max(Timestamp) - INTERVAL 1 DAY, groupUniqArray(toStartOfHour(Timestamp))) >= 20
ORDER BY value DESC, service, agent
LIMIT 200
