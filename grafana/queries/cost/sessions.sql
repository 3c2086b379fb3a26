-- The dearest sessions, each with all of its days in the time range.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  sum(CostUsd) AS Cost,
  clean(SessionId) AS Session,
  Agent,
  clean(max(UserId)) AS User,
  min(session_activity.Start) AS Started,
  dateDiff('millisecond', Started, max(session_activity.End)) AS Lasted,
  sum(ModelCalls) AS `Model calls`,
  sum(ToolCalls) AS `Tool calls`,
  sum(session_activity.Errors) AS Errors,
  sum(InputTokens) AS `Tokens in`,
  sum(OutputTokens) AS `Tokens out`,
  argMaxMerge(LastTraceId) AS TraceId
FROM session_activity
WHERE Day >= toDate($__fromTime) AND Day <= toDate($__toTime)
  AND $__conditionalAll(clean(session_activity.Agent) = decodeURLComponent('${agent:percentencode}'), $agent)
GROUP BY session_activity.Agent, SessionId
HAVING `Model calls` > 0 AND min(session_activity.Start) <= $__toTime_ms AND max(session_activity.End) >= $__fromTime_ms
ORDER BY Cost DESC, `Tokens in` + `Tokens out` DESC, Session
LIMIT 100
SETTINGS $__adHocFilters('agent_activity')
