-- Who or what decided, in the words of the agents, and what kind of decider that is.
WITH
-- include approvals/decisions
SELECT
  Decider,
  if(Source = '', 'not told', Source) AS `In its words`,
  sum(Told) AS Decisions,
  sumIf(Told, NOT IsDenied) AS Approved,
  sumIf(Told, IsDenied) AS Denied,
  sumIf(Told, IsDenied) / sum(Told) AS `Share denied`,
  uniq(Agent) AS Agents,
  uniq(Tool) AS Tools,
  max(Seen) AS `Last seen`
FROM decisions
GROUP BY Decider, Source
ORDER BY Decisions DESC, `In its words`
LIMIT 50
SETTINGS $__adHocFilters('agent_values')
