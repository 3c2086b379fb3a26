-- Findings of each level in this time range, in the one of the same length before it, and the difference.
WITH text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  Level,
  countIf(Timestamp >= $__fromTime_ms) AS Now,
  count() - Now AS Before,
  toInt64(Now) - toInt64(Before) AS Change
FROM findings FINAL
WHERE Timestamp >= $__fromTime_ms - toIntervalSecond(dateDiff('second', $__fromTime, $__toTime))
  AND Timestamp <= $__toTime_ms
  AND $__conditionalAll(clean(if(AgentName = '', ServiceName, AgentName)) = decodeURLComponent('${agent:percentencode}'), $agent)
GROUP BY Level, Severity
ORDER BY Severity DESC
SETTINGS $__adHocFilters('findings')
