-- Every tool that an agent ever called, within what is kept and to five minutes, with what it did in the time range; the newest first.
-- Offered says whether a model call of the agent offered it, under this name, with a server's name before it, or with _ for what models
-- do not allow. Names are worked out after counting, as there are few.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean,
  tool -> replaceRegexpAll(if(endsWith(tool, '__'), tool, replaceRegexpOne(tool, '(?s)^.+__(.+)$', '\\1')), '[^A-Za-z0-9_]', '_') AS own
SELECT
  clean(known.Agent) AS Agent,
  clean(known.ToolName) AS Tool,
  multiIf(
    known.First >= $__toTime - INTERVAL 1 DAY, 'new in 24 h', known.First >= toStartOfFiveMinutes($__fromTime), 'new in this range',
    known.Calls = 0, 'gone quiet', 'in use') AS State,
  multiIf(
    offered.Model != 0, 'yes', known.Agent IN (SELECT Agent FROM agent_values WHERE Kind = 'tool_definition'), 'no',
    'not told') AS Offered,
  arrayStringConcat(arraySort(effects.Kinds), ', ') AS Effects,
  clean(arrayStringConcat(arraySort(known.Servers), ', ')) AS `MCP server`,
  known.Calls AS Calls,
  known.Errors AS Errors,
  if(known.Calls = 0, NULL, known.Errors / known.Calls) AS `Error rate`,
  if(known.Calls = 0, NULL, known.Quantiles[2]) AS p95,
  known.First AS `First seen`,
  known.Last AS `Last seen`,
  newest.Trace AS TraceId
FROM (
  SELECT
    Agent, ToolName, min(Time) AS First, max(Time) AS Last,
    groupUniqArrayIf(10)(if(ServerAddress = '', 'local process', ServerAddress), McpMethod != '') AS Servers,
    sumIf(Spans, IsInRange) AS Calls, sumIf(agent_activity.Errors, IsInRange) AS Errors,
    quantilesTDigestMergeIf(0.5, 0.95, 0.99)(Durations, Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime AS IsInRange) AS Quantiles
  FROM agent_activity
  WHERE ToolName != ''
    AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
    AND $__conditionalAll(ToolName = decodeURLComponent('${tool:percentencode}'), $tool)
  GROUP BY Agent, ToolName
) AS known
LEFT JOIN (
--   Only of the five minutes of each newest call, which the sorting key finds.
  SELECT Agent, ToolName, argMaxMerge(LastTraceId) AS Trace
  FROM agent_activity
  WHERE ToolName != '' AND (Agent, Time) IN (
    SELECT Agent, max(Time) FROM agent_activity
    WHERE ToolName != '' AND Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
      AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
      AND $__conditionalAll(ToolName = decodeURLComponent('${tool:percentencode}'), $tool)
    GROUP BY Agent, ToolName)
  GROUP BY Agent, ToolName
) AS newest ON newest.Agent = known.Agent AND newest.ToolName = known.ToolName
LEFT JOIN (
  SELECT Agent, ToolName, groupUniqArray(10)(Value) AS Kinds
  FROM agent_values
  WHERE Kind = 'effect' AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
  GROUP BY Agent, ToolName
) AS effects ON effects.Agent = known.Agent AND effects.ToolName = known.ToolName
LEFT JOIN (
  SELECT Agent, own(Value) AS Own, sum(Model) AS Model
  FROM (SELECT Agent, Value, sum(Spans) AS Model FROM agent_values WHERE Kind = 'tool_definition' GROUP BY Agent, Value)
  GROUP BY Agent, Own
) AS offered ON offered.Agent = known.Agent AND offered.Own = own(known.ToolName)
ORDER BY `First seen` DESC, Agent, Tool
LIMIT 500
SETTINGS $__adHocFilters('agent_activity')
