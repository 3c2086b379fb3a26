-- On whose behalf the agent acted in this time range.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean,
  names AS (SELECT DISTINCT Agent FROM session_activity WHERE Agent = decodeURLComponent('${agent:percentencode}'))
SELECT
  clean(UserId) AS User,
  uniq(SessionId) AS Sessions,
  sum(ModelCalls) + sum(ToolCalls) AS Calls,
  sum(CostUsd) AS Cost,
  max(End) AS `Last seen`
FROM session_activity
WHERE Agent IN (SELECT Agent FROM names)
  AND UserId != ''
  AND Day >= toDate($__fromTime) - 1 AND Day <= toDate($__toTime) AND End >= $__fromTime_ms AND Start <= $__toTime_ms
GROUP BY User
ORDER BY Sessions DESC, User
LIMIT 100
SETTINGS $__adHocFilters('session_activity')
