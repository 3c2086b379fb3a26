-- What no span showed before this time range, within what is kept: tools, MCP servers, effects, programs, SQL tables and offered tools.
-- An offered tool is named as models name it. TraceId is the first trace, of tools and servers one of their first five minutes; it is read
-- from the row in which they first stand, which is looked for in narrow columns before.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean,
  tool -> replaceRegexpAll(if(endsWith(tool, '__'), tool, replaceRegexpOne(tool, '(?s)^.+__(.+)$', '\\1')), '[^A-Za-z0-9_]', '_') AS own
SELECT
  First AS `First seen`,
  What,
  clean(Name) AS Name,
  Agent,
  clean(By) AS Tool,
  Trace AS TraceId
FROM (
  SELECT
    'tool' AS What, toString(ToolName) AS Name, Agent, toString(ToolName) AS By, min(FirstSeen) AS First,
    argMin(finalizeAggregation(LastTraceId), FirstSeen) AS Trace
  FROM agent_activity
  WHERE (Agent, Time, ToolName) IN (
    SELECT Agent, min(Time) AS Start, ToolName FROM agent_activity
    WHERE ToolName != ''
      AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
      AND $__conditionalAll(ToolName = decodeURLComponent('${tool:percentencode}'), $tool)
    GROUP BY Agent, ToolName
    HAVING Start >= toStartOfFiveMinutes($__fromTime) AND Start <= $__toTime
  )
  GROUP BY Agent, ToolName
  UNION ALL
  SELECT
    'MCP server' AS What, if(ServerAddress = '', 'local process', ServerAddress) AS Name, Agent, any(toString(ToolName)) AS By,
    min(FirstSeen) AS First, argMin(finalizeAggregation(LastTraceId), FirstSeen) AS Trace
  FROM agent_activity
  WHERE McpMethod != '' AND (Agent, Time, ServerAddress) IN (
    SELECT Agent, min(Time) AS Start, ServerAddress FROM agent_activity
    WHERE McpMethod != ''
      AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
      AND $__conditionalAll(ToolName = decodeURLComponent('${tool:percentencode}'), $tool)
    GROUP BY Agent, ServerAddress
    HAVING Start >= toStartOfFiveMinutes($__fromTime) AND Start <= $__toTime
  )
  GROUP BY Agent, ServerAddress
  UNION ALL
  SELECT
    transform(toString(Kind), ['effect', 'program', 'sql_table', 'tool_definition'],
      ['effect', 'program', 'SQL table', 'offered tool'], '') AS What,
    if(Kind = 'tool_definition', own(Value), Value) AS Name, Agent, argMin(toString(ToolName), FirstSeen) AS By,
    min(FirstSeen) AS First, argMinMerge(FirstTraceId) AS Trace
  FROM agent_values
  WHERE (Kind, Agent, Value, Time) IN (
    SELECT Kind, Agent, Value, min(Time) AS Start FROM agent_values
    WHERE Kind IN ('effect', 'program', 'sql_table', 'tool_definition') AND Value != ''
      AND (ToolName != '' OR Kind = 'tool_definition')
      AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
      AND $__conditionalAll(ToolName = decodeURLComponent('${tool:percentencode}'), $tool)
    GROUP BY Kind, Agent, Value
    HAVING Start >= toStartOfHour($__fromTime) AND Start <= $__toTime
  )
  GROUP BY Kind, Agent, Name
)
ORDER BY `First seen` DESC, What, Name, Agent
LIMIT 300
SETTINGS $__adHocFilters('agent_activity')
