-- Agents that called tools, or told a decision, in the time range. An agent without a name goes by its service.
SELECT Agent FROM (
  SELECT toString(Agent) AS Agent FROM agent_activity
  WHERE OperationName = 'execute_tool' AND Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
  GROUP BY Agent
  UNION DISTINCT
  SELECT toString(Agent) AS Agent FROM agent_values
  WHERE Kind IN ('decision', 'logged_decision') AND Time >= toStartOfHour($__fromTime) AND Time <= $__toTime
  GROUP BY Agent
)
ORDER BY Agent
LIMIT 1000
