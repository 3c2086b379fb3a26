-- Agents that sent something in the time range. An agent without a name goes by its service.
SELECT DISTINCT Agent
FROM (
  SELECT Agent FROM agent_activity WHERE OperationName != '' AND Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime GROUP BY Agent
  UNION DISTINCT
  SELECT Agent FROM agent_values WHERE Kind = 'log_event' AND Time >= toStartOfHour($__fromTime) AND Time <= $__toTime GROUP BY Agent
)
ORDER BY Agent
LIMIT 1000
