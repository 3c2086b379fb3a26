-- Models that answered in the time range.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT DISTINCT clean(Model) AS Name
FROM agent_activity
WHERE Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
  AND Model != ''
ORDER BY Name
LIMIT 1000
