-- Tools that model calls of this time range offered and that nobody called in it: permissions without use.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean,
  tool -> replaceRegexpAll(if(endsWith(tool, '__'), tool, replaceRegexpOne(tool, '(?s)^.+__(.+)$', '\\1')), '[^A-Za-z0-9_]', '_') AS own
SELECT
  clean(offered.Agent) AS Agent,
  clean(offered.Name) AS Tool,
  offered.Model AS `Model calls`,
  offered.Newest AS `Last offered`,
  if(used.Newest = 0, NULL, used.Newest) AS `Last used`,
  offered.Trace AS TraceId
FROM (
  SELECT
    Agent, own(Value) AS Own, any(Value) AS Name, sum(Model) AS Model, max(Newest) AS Newest, argMax(Trace, offers.Newest) AS Trace
  FROM (
    SELECT Agent, Value, sum(Spans) AS Model, max(LastSeen) AS Newest, argMaxMerge(LastTraceId) AS Trace
    FROM agent_values
    WHERE Kind = 'tool_definition' AND Value != '' AND Time >= toStartOfHour($__fromTime) AND Time <= $__toTime
      AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
      AND $__conditionalAll(own(Value) = own(decodeURLComponent('${tool:percentencode}')), $tool)
    GROUP BY Agent, Value
  ) AS offers
  GROUP BY Agent, Own
) AS offered
LEFT JOIN (
  SELECT Agent, own(toString(ToolName)) AS Own, max(Newest) AS Newest
  FROM (SELECT Agent, ToolName, max(Time) AS Newest FROM agent_activity WHERE ToolName != '' GROUP BY Agent, ToolName)
  GROUP BY Agent, Own
) AS used ON used.Agent = offered.Agent AND used.Own = offered.Own
WHERE used.Newest < toStartOfFiveMinutes($__fromTime)
ORDER BY `Last used` IS NULL DESC, `Model calls` DESC, Agent, Tool
LIMIT 300
SETTINGS $__adHocFilters('agent_activity')
