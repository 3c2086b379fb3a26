-- Decisions by agent and tool, those that are denied most first, with the newest trace.
WITH
-- include approvals/decisions
SELECT
  Agent,
  Tool,
  sum(Told) AS Decisions,
  sumIf(Told, IsDenied) AS Denied,
  sumIf(Told, IsDenied) / sum(Told) AS `Share denied`,
  sumIf(Told, Decider = 'a person') AS `By a person`,
  max(Seen) AS `Last seen`,
  if(Denied = 0, NULL, maxIf(Seen, IsDenied)::DateTime64(9)) AS `Last denied`,
  argMax(Trace, Seen) AS TraceId
FROM decisions
GROUP BY Agent, Tool
ORDER BY Denied DESC, Decisions DESC, Agent, Tool
LIMIT 200
SETTINGS $__adHocFilters('agent_values')
