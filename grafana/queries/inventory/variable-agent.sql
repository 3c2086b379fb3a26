-- Agents that did anything in the time range; services that are none are left out. An agent without a name goes by its service.
SELECT DISTINCT Agent AS Name
FROM agent_activity
WHERE Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
  AND (OperationName != '' OR ToolName != '' OR McpMethod != '')
  AND Agent != ''
ORDER BY Name
LIMIT 1000
