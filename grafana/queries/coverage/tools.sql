-- Tools whose calls came without arguments, most calls first: rules on what a call does see nothing of them.
SELECT
  lacking.Agent AS Agent,
  lacking.ToolName AS Tool,
  called.Calls AS Calls,
  lacking.Arguments AS `Without arguments`,
  if(called.Calls = 0, NULL, lacking.Arguments / called.Calls) AS Share,
  lacking.Result AS `Without result`,
  lacking.LastSeen AS `Last seen`,
  lacking.TraceId AS TraceId
FROM (
  SELECT Agent, ToolName, sumIf(Spans, Value = 'tool_arguments') AS Arguments, sumIf(Spans, Value = 'tool_result') AS Result,
    max(LastSeen) AS LastSeen, argMaxMerge(LastTraceId) AS TraceId
  FROM agent_values
  WHERE Kind = 'missing_content' AND Value IN ('tool_arguments', 'tool_result')
    AND Time >= toStartOfHour($__fromTime) AND Time <= $__toTime
    AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
  GROUP BY Agent, ToolName
  HAVING Arguments > 0
) AS lacking
LEFT JOIN (
  SELECT Agent, ToolName, sum(Spans) AS Calls FROM agent_activity
  WHERE OperationName = 'execute_tool' AND Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
  GROUP BY Agent, ToolName
) AS called ON called.Agent = lacking.Agent AND called.ToolName = lacking.ToolName
ORDER BY `Without arguments` DESC, Agent, Tool
LIMIT 200
SETTINGS $__adHocFilters('agent_values')
