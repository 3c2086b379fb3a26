-- Agents that did something in this time range. An agent without a name goes by its service.
SELECT DISTINCT Agent AS Name
FROM agent_activity
WHERE Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
  AND OperationName != ''
  AND Name != ''
ORDER BY Name
LIMIT 1000
