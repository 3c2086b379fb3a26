-- Where tuning pays: findings of a rule by agent, most first, with what people called them. One agent that makes most of a rule's findings
-- wants an allowlist; many that do want a narrower rule.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean,
  said AS (SELECT FindingId, argMax(Disposition, MarkedAt) AS Said FROM finding_marks GROUP BY FindingId)
SELECT
  clean(any(RuleTitle)) AS Rule,
  Level,
  clean(if(AgentName = '', toString(ServiceName), toString(AgentName))) AS Agent,
  count() AS Findings,
  sum(Count) AS Times,
  count() / sum(count()) OVER (PARTITION BY RuleId) AS `Of the rule`,
  countIf(Said = 'false-positive') AS `Called false`,
  countIf(Said = 'benign') AS `Called benign`,
  countIf(Said = 'true-positive') AS `Called true`,
  max(Timestamp) AS `Last seen`,
  clean(RuleId) AS `Rule id`
FROM findings FINAL
LEFT JOIN said USING (FindingId)
WHERE $__timeFilter_ms(Timestamp)
  AND $__conditionalAll(clean(RuleId) = decodeURLComponent('${rule:percentencode}'), $rule)
GROUP BY RuleId, Level, Agent
ORDER BY Findings DESC, RuleId, Agent
LIMIT 100
SETTINGS $__adHocFilters('findings')
