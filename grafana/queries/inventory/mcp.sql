-- MCP servers by agent. A server without an address is a process that the agent started itself.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  clean(used.Agent) AS Agent,
  if(used.ServerAddress = '', 'local process', clean(used.ServerAddress)) AS Server,
  arrayStringConcat(arraySort(arrayMap(method -> clean(method), used.Methods)), ', ') AS Methods,
  arrayStringConcat(arraySort(arrayMap(tool -> clean(tool), used.Tools)), ', ') AS Tools,
  used.Calls AS Calls,
  used.Failed AS Errors,
  if(used.Calls = 0, NULL, used.Quantiles[2]) AS p95,
  known.First AS `First seen`,
  used.Newest AS `Last seen`,
  used.Trace AS TraceId
FROM (
  SELECT
    Agent, ServerAddress, groupUniqArray(20)(toString(McpMethod)) AS Methods,
    groupUniqArrayIf(20)(toString(ToolName), ToolName != '') AS Tools, sumIf(Spans, McpMethod = 'tools/call') AS Calls,
    sumIf(Errors, McpMethod = 'tools/call') AS Failed,
    quantilesTDigestMergeIf(0.5, 0.95, 0.99)(Durations, McpMethod = 'tools/call') AS Quantiles,
    max(LastSeen) AS Newest, argMaxMerge(LastTraceId) AS Trace
  FROM agent_activity
  WHERE McpMethod != '' AND Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
    AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
    AND $__conditionalAll(ToolName = decodeURLComponent('${tool:percentencode}'), $tool)
  GROUP BY Agent, ServerAddress
) AS used
LEFT JOIN (
  SELECT Agent, ServerAddress, min(Time) AS First FROM agent_activity WHERE McpMethod != '' GROUP BY Agent, ServerAddress
) AS known ON known.Agent = used.Agent AND known.ServerAddress = used.ServerAddress
ORDER BY Calls DESC, Agent, Server
LIMIT 200
SETTINGS $__adHocFilters('agent_activity')
