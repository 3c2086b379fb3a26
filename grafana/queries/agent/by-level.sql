-- Findings of each level on the agent in this time range, and its open cases, whatever the time range.
WITH text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  (
    SELECT count()
    FROM case_list
    WHERE Status = 'open'
      AND arrayExists(agent -> clean(agent) = decodeURLComponent('${agent:percentencode}'), Agents)
  ) AS `open cases`,
  countIf(Level = 'critical') AS critical,
  countIf(Level = 'high') AS high,
  countIf(Level = 'medium') AS medium,
  countIf(Level = 'low') AS low
FROM findings FINAL
WHERE $__timeFilter_ms(Timestamp)
  AND clean(if(AgentName = '', ServiceName, AgentName)) = decodeURLComponent('${agent:percentencode}')
SETTINGS $__adHocFilters('findings')
