-- Tools that were called in this time range and that no model call of the agent ever offered, of agents whose model calls say what they offer.
-- The bound on tools keeps ClickHouse from working out names for each row of the sums instead of each tool.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean,
  tool -> replaceRegexpAll(if(endsWith(tool, '__'), tool, replaceRegexpOne(tool, '(?s)^.+__(.+)$', '\\1')), '[^A-Za-z0-9_]', '_') AS own,
  calls AS (
    SELECT Agent, ToolName, sum(Spans) AS Calls, max(LastSeen) AS Newest
    FROM agent_activity
    WHERE ToolName != '' AND Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
      AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
      AND $__conditionalAll(ToolName = decodeURLComponent('${tool:percentencode}'), $tool)
    GROUP BY Agent, ToolName
    LIMIT 100000
  ),
--   Only of the five minutes of each newest call, which the sorting key finds.
  traces AS (
    SELECT Agent, ToolName, argMaxMerge(LastTraceId) AS Trace
    FROM agent_activity
    WHERE ToolName != '' AND (Agent, Time) IN (
      SELECT Agent, max(Time) FROM agent_activity
      WHERE ToolName != '' AND Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
        AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
        AND $__conditionalAll(ToolName = decodeURLComponent('${tool:percentencode}'), $tool)
      GROUP BY Agent, ToolName)
    GROUP BY Agent, ToolName
  )
SELECT
  clean(used.Agent) AS Agent,
  clean(used.Name) AS Tool,
  used.Calls AS Calls,
  used.Newest AS `Last seen`,
  used.Trace AS TraceId
FROM (
  SELECT
    Agent, any(toString(ToolName)) AS Name, own(toString(ToolName)) AS Own, sum(Calls) AS Calls, max(Newest) AS Newest,
    argMax(Trace, calls.Newest) AS Trace
  FROM (
    SELECT Agent, ToolName, Calls, Newest, Trace FROM calls LEFT JOIN traces USING (Agent, ToolName)
  ) AS calls
  GROUP BY Agent, Own
) AS used
WHERE used.Agent IN (SELECT Agent FROM agent_values WHERE Kind = 'tool_definition')
  AND (used.Agent, used.Own) NOT IN (
    SELECT Agent, own(Value) FROM (SELECT DISTINCT Agent, Value FROM agent_values WHERE Kind = 'tool_definition'))
ORDER BY Calls DESC, Agent, Tool
LIMIT 300
SETTINGS $__adHocFilters('agent_activity')
