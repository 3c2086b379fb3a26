-- Classes of the hosts that calls named. metadata is where clouds hand out credentials.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  clean(Value) AS Class,
  sum(Spans) AS Calls,
  clean(arrayStringConcat(arraySort(groupUniqArray(10)(toString(Agent))), ', ')) AS Agents,
  clean(arrayStringConcat(arraySort(groupUniqArray(10)(toString(ToolName))), ', ')) AS Tools,
  min(FirstSeen) AS `First in range`,
  max(LastSeen) AS `Last seen`,
  argMaxMerge(LastTraceId) AS TraceId
FROM agent_values
WHERE Kind = 'host_class' AND Time >= toStartOfHour($__fromTime) AND Time <= $__toTime
  AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
GROUP BY Value
ORDER BY indexOf(['metadata', 'link_local', 'external', 'unspecified', 'reserved', 'carrier_nat'], Value) = 0,
  indexOf(['metadata', 'link_local', 'external', 'unspecified', 'reserved', 'carrier_nat'], Value), Calls DESC, Class
LIMIT 50
SETTINGS $__adHocFilters('agent_values')
