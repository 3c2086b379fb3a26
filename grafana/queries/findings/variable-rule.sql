-- Rules that fired in the time range: the id as the value, then the title to show.
WITH text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  clean(RuleId) AS Id,
  any(clean(RuleTitle)) AS Title
FROM findings
WHERE $__timeFilter_ms(Timestamp)
GROUP BY Id
ORDER BY Title
LIMIT 1000
