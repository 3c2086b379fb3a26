-- Tools with findings in the time range.
WITH text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT DISTINCT clean(ToolName) AS Tool
FROM findings
WHERE $__timeFilter_ms(Timestamp)
  AND ToolName != ''
ORDER BY Tool
LIMIT 1000
