-- Agents with open cases or findings, those with the worst open case first. A case names agents only, a finding of none goes by its
-- service.
WITH text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  Agent,
  transform(max(Case), [1, 2, 3, 4, 5], ['informational', 'low', 'medium', 'high', 'critical'], '') AS Worst,
  sum(Open) AS Cases,
  sum(High) AS Severe,
  sum(Found) AS Findings,
  max(Seen) AS `Last seen`
FROM (
  SELECT clean(arrayJoin(Agents)) AS Agent, Severity AS Case, 1 AS Open, 0 AS High, 0 AS Found, LastSeen AS Seen
  FROM case_list
  WHERE Status = 'open'
  UNION ALL
  SELECT clean(if(AgentName = '', ServiceName, AgentName)) AS Agent, 0, 0, countIf(Severity >= 4), count(), max(Timestamp)
  FROM findings FINAL
  WHERE $__timeFilter_ms(Timestamp)
  GROUP BY Agent
)
WHERE Agent != ''
  AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
GROUP BY Agent
ORDER BY max(Case) DESC, Cases DESC, Severe DESC, Findings DESC, Agent
LIMIT 50
SETTINGS $__adHocFilters('findings')
