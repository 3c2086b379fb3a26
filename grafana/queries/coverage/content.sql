-- What each agent does not send, as shares: of its model calls, of its tool calls, of all its spans. Agents with the most blind tool calls first.
SELECT
  seen.Agent AS Agent,
  seen.Models AS `Model calls`,
  seen.Tools AS `Tool calls`,
  if(seen.Models = 0, NULL, lacking.Input / seen.Models) AS `No input`,
  if(seen.Models = 0, NULL, lacking.Output / seen.Models) AS `No output`,
  if(seen.Tools = 0, NULL, lacking.Name / seen.Tools) AS `No tool name`,
  if(seen.Tools = 0, NULL, lacking.Arguments / seen.Tools) AS `No arguments`,
  if(seen.Tools = 0, NULL, lacking.Result / seen.Tools) AS `No result`,
  if(seen.Retrievals = 0, NULL, lacking.Documents / seen.Retrievals) AS `No documents`,
  lacking.Conversation / seen.AllSpans AS `No conversation`,
  lacking.User / seen.AllSpans AS `No user`,
  seen.Newest AS `Last seen`
FROM (
  SELECT Agent, sum(Spans) AS AllSpans, sumIf(Spans, OperationName IN ('chat', 'text_completion', 'generate_content')) AS Models,
    sumIf(Spans, OperationName = 'execute_tool') AS Tools, sumIf(Spans, OperationName = 'retrieval') AS Retrievals, max(LastSeen) AS Newest
  FROM agent_activity
  WHERE OperationName != '' AND Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
    AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
  GROUP BY Agent
) AS seen
LEFT JOIN (
  SELECT Agent, sumIf(Spans, Value = 'input_messages') AS Input, sumIf(Spans, Value = 'output_messages') AS Output,
    sumIf(Spans, Value = 'tool_name') AS Name, sumIf(Spans, Value = 'tool_arguments') AS Arguments,
    sumIf(Spans, Value = 'tool_result') AS Result, sumIf(Spans, Value = 'documents') AS Documents,
    sumIf(Spans, Value = 'conversation') AS Conversation, sumIf(Spans, Value = 'user') AS User
  FROM agent_values
  WHERE Kind IN ('missing_content', 'missing_identity') AND Time >= toStartOfHour($__fromTime) AND Time <= $__toTime
  GROUP BY Agent
) AS lacking ON lacking.Agent = seen.Agent
ORDER BY lacking.Arguments DESC, lacking.Input DESC, seen.AllSpans DESC, Agent
LIMIT 500
SETTINGS $__adHocFilters('agent_values')
