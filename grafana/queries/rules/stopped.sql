-- Rules that do not run although somebody wants them to, and why; a refused set of rules first.
WITH text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  At AS Since,
  if(State = 'set_refused', 'newest set refused', toString(State)) AS State,
  if(RuleId = '', 'all rules', clean(if(RuleTitle = '', RuleId, RuleTitle))) AS Rule,
  Level,
  leftUTF8(replaceRegexpAll(Reason, '[\\p{Cc}\\p{Cf}]', ' '), 500) AS Why,
  clean(RuleId) AS `Rule id`
FROM rule_states FINAL
WHERE State IN ('disabled', 'set_refused')
  AND $__conditionalAll(clean(RuleId) = decodeURLComponent('${rule:percentencode}'), $rule)
ORDER BY rule_states.State = 'set_refused' DESC, Since DESC, Rule
LIMIT 200
SETTINGS $__adHocFilters('rule_states')
