-- How much there is of what: one row. A tool is one of one agent; its first call is looked for in all that is kept, to five minutes.
WITH
  toStartOfFiveMinutes($__fromTime) AS from_time
SELECT
  countIf(Newest >= from_time) AS `tools used`,
  countIf(First >= $__toTime - INTERVAL 1 DAY AND First <= $__toTime) AS `new in 24 h`,
  countIf(First >= from_time AND First <= $__toTime) AS `new in this range`,
  countIf(Newest < from_time) AS `gone quiet`,
  (
    SELECT uniqExact(Agent, ServerAddress) FROM agent_activity
    WHERE McpMethod != '' AND Time >= from_time AND Time <= $__toTime
      AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
  ) AS `MCP servers`,
  (
    SELECT countIf(Definitions > 1) FROM (
      SELECT uniqExact(Detail) AS Definitions FROM agent_values
      WHERE Kind = 'tool_definition' AND Value != ''
        AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
      GROUP BY Agent, Value
      HAVING max(LastSeen) >= $__fromTime_ms
    )
  ) AS `with several definitions`,
  if(count() = 0, NULL, min(First)) AS `known since`
FROM (
  SELECT Agent, ToolName, min(Time) AS First, max(Time) AS Newest
  FROM agent_activity
  WHERE ToolName != ''
    AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
    AND $__conditionalAll(ToolName = decodeURLComponent('${tool:percentencode}'), $tool)
  GROUP BY Agent, ToolName
)
SETTINGS $__adHocFilters('agent_activity')
