-- Matches per interval of the nine rules with most of them, and of all others; a series for each rule.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 60) AS clean,
  (
    SELECT groupArray(RuleId) FROM (
      SELECT RuleId FROM rule_stats
      WHERE Hour >= toStartOfHour($__fromTime) AND Hour <= $__toTime AND AgentName != ''
      GROUP BY RuleId HAVING sum(Matches) > 0 ORDER BY sum(Matches) DESC, RuleId LIMIT 9
    )
  ) AS most
SELECT
  $__timeInterval(Hour) AS time,
  multiIf(NOT has(most, RuleId), 'all others', titles.RuleTitle = '', clean(RuleId), clean(titles.RuleTitle)) AS Rule,
  sum(Matches) AS Value
FROM rule_stats
LEFT JOIN (SELECT RuleId, RuleTitle FROM rule_states FINAL) AS titles USING (RuleId)
WHERE Hour >= toStartOfHour($__fromTime) AND Hour <= $__toTime
  AND AgentName != ''
  AND $__conditionalAll(leftUTF8(replaceRegexpAll(RuleId, '[\\p{Cc}\\p{Cf}]', ' '), 200) = decodeURLComponent('${rule:percentencode}'), $rule)
GROUP BY time, Rule
HAVING Value > 0
ORDER BY time, Rule
SETTINGS $__adHocFilters('rule_stats')
