-- Services that send spans and none of an agent: not instrumented for agents, or none runs there.
SELECT
  leftUTF8(replaceRegexpAll(toString(ServiceName), '[\\p{Cc}\\p{Cf}]', ' '), 200) AS Service,
  sum(agent_activity.Spans) AS Spans,
  sum(agent_activity.Errors) AS Errors,
  min(FirstSeen) AS `First seen`,
  max(LastSeen) AS `Last seen`,
  argMaxMerge(LastTraceId) AS TraceId
FROM agent_activity
WHERE Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
GROUP BY ServiceName
HAVING max(OperationName != '') = 0
ORDER BY Spans DESC, Service
LIMIT 200
SETTINGS $__adHocFilters('agent_activity')
