-- Rules that are disabled, because they threw or took too long; and a newest set of rules that was refused.
WITH text -> leftUTF8(replaceRegexpAll(toString(text), '[\\p{Cc}\\p{Cf}]', ' '), 100) AS clean
SELECT RuleId AS rule, if(State = 'set_refused', 'the newest set of rules', clean(RuleTitle)) AS title, toFloat64(1) AS value
FROM rule_states FINAL
WHERE State IN ('disabled', 'set_refused')
ORDER BY rule
LIMIT 200
