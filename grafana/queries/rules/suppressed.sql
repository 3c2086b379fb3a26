-- What filters took away: matches by filter and rule, with the share of all that the rule would have matched.
WITH text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  clean(FilterId) AS Filter,
  clean(if(any(titles.RuleTitle) = '', RuleId, any(titles.RuleTitle))) AS Rule,
  sum(rule_stats.Suppressed) AS Suppressed,
  Suppressed / nullIf(Suppressed + any(fired.Matches), 0) AS `Of its matches`,
  max(Hour) AS `Last hour`,
  clean(RuleId) AS `Rule id`
FROM rule_stats
LEFT JOIN (SELECT RuleId, RuleTitle FROM rule_states FINAL) AS titles USING (RuleId)
LEFT JOIN (
  SELECT RuleId, sum(Matches) AS Matches FROM rule_stats
  WHERE Hour >= toStartOfHour($__fromTime) AND Hour <= $__toTime GROUP BY RuleId
) AS fired USING (RuleId)
WHERE Hour >= toStartOfHour($__fromTime) AND Hour <= $__toTime
  AND FilterId != ''
  AND $__conditionalAll(clean(RuleId) = decodeURLComponent('${rule:percentencode}'), $rule)
GROUP BY FilterId, RuleId
HAVING Suppressed > 0
ORDER BY Suppressed DESC, Filter, RuleId
LIMIT 200
SETTINGS $__adHocFilters('rule_stats')
