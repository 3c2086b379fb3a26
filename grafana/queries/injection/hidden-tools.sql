-- Who met characters that people do not see, in which tool's arguments or results; no tool means a message of a model call.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  clean(Value) AS Characters,
  Agent,
  if(ToolName = '', 'model call', ToolName) AS Tool,
  sum(agent_values.Spans) AS Spans,
  min(FirstSeen) AS `First in range`,
  max(LastSeen) AS `Last seen`,
  argMaxMerge(LastTraceId) AS TraceId
FROM agent_values
WHERE Kind = 'hidden_unicode' AND Time >= toStartOfHour($__fromTime) AND Time <= $__toTime
  AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
GROUP BY Value, agent_values.Agent, ToolName
ORDER BY Spans DESC, Characters, Agent, Tool
LIMIT 100
SETTINGS $__adHocFilters('findings')
