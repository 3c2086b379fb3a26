-- Rules that collectors have loaded: the id as the value, then the title to show.
WITH text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  clean(RuleId) AS Id,
  clean(if(RuleTitle = '', RuleId, RuleTitle)) AS Title
FROM rule_states FINAL
WHERE RuleId != '' AND State IN ('active', 'disabled')
ORDER BY Title, Id
LIMIT 2000
