-- How often rules failed in this hour and the one before: a span that a rule throws on has not been judged by it.
WITH text -> leftUTF8(replaceRegexpAll(toString(text), '[\\p{Cc}\\p{Cf}]', ' '), 100) AS clean
SELECT clean(RuleId) AS rule, toFloat64(sum(Errors)) AS value
FROM rule_stats
WHERE Hour >= toStartOfHour(now() - INTERVAL 1 HOUR)
GROUP BY rule
HAVING value > 0
ORDER BY value DESC, rule
LIMIT 200
