-- What the calls of this time range do, by their names and arguments. One call may do several things.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  clean(Value) AS Effect,
  sum(Spans) AS Calls,
  uniqExact(ToolName) AS Tools,
  uniqExact(Agent) AS Agents,
  arrayStringConcat(arraySort(groupUniqArray(10)(Agent)), ', ') AS `By agents`,
  max(LastSeen) AS `Last seen`,
  argMaxMerge(LastTraceId) AS TraceId
FROM agent_values
WHERE Kind = 'effect' AND ToolName != '' AND Time >= toStartOfHour($__fromTime) AND Time <= $__toTime
  AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
  AND $__conditionalAll(ToolName = decodeURLComponent('${tool:percentencode}'), $tool)
GROUP BY Value
ORDER BY Calls DESC, Effect
LIMIT 100
SETTINGS $__adHocFilters('agent_activity')
