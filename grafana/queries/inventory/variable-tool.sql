-- Tools that were called in the time range.
SELECT DISTINCT ToolName AS Name
FROM agent_activity
WHERE Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
  AND ToolName != ''
ORDER BY Name
LIMIT 1000
