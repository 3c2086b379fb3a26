-- Programs that tool calls of this time range start and SQL tables that they name, the newest first seen first.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  if(used.Kind = 'program', 'program', 'SQL table') AS What,
  clean(used.Value) AS Name,
  clean(used.Agent) AS Agent,
  clean(arrayStringConcat(arraySort(used.Tools), ', ')) AS Tool,
  used.Calls AS Calls,
  known.First AS `First seen`,
  used.Newest AS `Last seen`,
  used.Trace AS TraceId
FROM (
  SELECT
    Kind, Agent, Value, groupUniqArray(10)(toString(ToolName)) AS Tools, sum(Spans) AS Calls, max(LastSeen) AS Newest,
    argMaxMerge(LastTraceId) AS Trace
  FROM agent_values
  WHERE Kind IN ('program', 'sql_table') AND ToolName != '' AND Time >= toStartOfHour($__fromTime) AND Time <= $__toTime
    AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
    AND $__conditionalAll(ToolName = decodeURLComponent('${tool:percentencode}'), $tool)
  GROUP BY Kind, Agent, Value
) AS used
LEFT JOIN (
  SELECT Kind, Agent, Value, min(FirstSeen) AS First
  FROM agent_values
  WHERE Kind IN ('program', 'sql_table') AND ToolName != ''
  GROUP BY Kind, Agent, Value
) AS known ON known.Kind = used.Kind AND known.Agent = used.Agent AND known.Value = used.Value
ORDER BY `First seen` DESC, What, Name, Agent
LIMIT 300
SETTINGS $__adHocFilters('agent_activity')
