-- Which agents tell decisions at all: tool calls of each, and how many of them came with a decision.
WITH
-- include approvals/decisions
SELECT
  Agent,
  sum(Calls) AS `Tool calls`,
  sum(Told) AS Decisions,
  sum(Told) / nullIf(sum(Calls), 0) AS `Share told`,
  sum(People) AS `By a person`,
  sum(No) AS Denied,
  max(Seen) AS `Last seen`
FROM (
  SELECT toString(Agent) AS Agent, sum(Spans) AS Calls, 0 AS Told, 0 AS People, 0 AS No, max(LastSeen) AS Seen
  FROM agent_activity
  WHERE OperationName = 'execute_tool' AND Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
    AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
  GROUP BY Agent
  UNION ALL
  SELECT toString(Agent) AS Agent, 0 AS Calls, sum(decisions.Told) AS Told, sumIf(decisions.Told, Decider = 'a person') AS People,
    sumIf(decisions.Told, IsDenied) AS No, max(decisions.Seen) AS Seen
  FROM decisions GROUP BY Agent
)
GROUP BY Agent
ORDER BY Decisions = 0 DESC, `Tool calls` DESC, Agent
LIMIT 500
SETTINGS $__adHocFilters('agent_values')
