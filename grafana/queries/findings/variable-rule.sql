-- Rules that fired in the time range.
WITH text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT DISTINCT clean(RuleId) AS Rule
FROM findings
WHERE $__timeFilter_ms(Timestamp)
ORDER BY Rule
LIMIT 1000
