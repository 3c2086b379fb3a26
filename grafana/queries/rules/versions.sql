-- What changes of rules did: each version that began to count in the time range, with its matches per 1,000 spans and those of the one before.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean,
  versions AS (
    SELECT RuleId, RuleVersion, min(Hour) AS Since, sum(Spans) AS Spans, sum(Matches) AS Matches,
      if(Spans = 0, NULL, Matches / Spans * 1000) AS Rate
    FROM rule_stats
    WHERE Hour <= $__toTime
    GROUP BY RuleId, RuleVersion
  )
SELECT
  Since,
  clean(if(titles.RuleTitle = '', RuleId, titles.RuleTitle)) AS Rule,
  clean(RuleVersion) AS Version,
  if(Before.2 = '', 'new rule', clean(Before.2)) AS `Version before`,
  Rate AS `Per 1,000 spans`,
  Before.1 AS `Per 1,000 before`,
  Matches,
  Spans,
  clean(RuleId) AS `Rule id`
FROM (
  SELECT *, lagInFrame((Rate, toString(RuleVersion))) OVER (PARTITION BY RuleId ORDER BY Since, RuleVersion) AS Before FROM versions
) AS changes
LEFT JOIN (SELECT RuleId, RuleTitle FROM rule_states FINAL) AS titles USING (RuleId)
WHERE Since >= toStartOfHour($__fromTime)
  AND $__conditionalAll(clean(RuleId) = decodeURLComponent('${rule:percentencode}'), $rule)
ORDER BY Since DESC, Rule
LIMIT 200
SETTINGS $__adHocFilters('rule_stats')
