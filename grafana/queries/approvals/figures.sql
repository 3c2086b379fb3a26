-- Decisions of the time range, in one row.
WITH
-- include approvals/decisions
SELECT
  sum(Told) AS decisions,
  sumIf(Told, IsDenied) AS denied,
  sumIf(Told, IsDenied) / nullIf(sum(Told), 0) AS `share denied`,
  sumIf(Told, Decider = 'a person') AS `by a person`,
  sumIf(Told, Decider = 'a person' AND IsDenied) / nullIf(sumIf(Told, Decider = 'a person'), 0) AS `people denied`,
  sumIf(Told, Decider IN ('configuration', 'a hook')) AS `without a person`,
  uniq(Agent) AS agents,
  uniqIf(Tool, Tool != '') AS tools
FROM decisions
SETTINGS $__adHocFilters('agent_values')
