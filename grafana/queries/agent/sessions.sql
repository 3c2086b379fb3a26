-- Sessions of the agent in this time range, those with the worst findings first, then the newest.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean,
  names AS (SELECT DISTINCT Agent FROM session_activity WHERE Agent = decodeURLComponent('${agent:percentencode}'))
SELECT
  clean(run.SessionId) AS Session,
  transform(found.Worst, [1, 2, 3, 4, 5], ['informational', 'low', 'medium', 'high', 'critical'], '') AS Worst,
  found.Findings AS Findings,
  run.Began AS Started,
  dateDiff('millisecond', run.Began, run.Ended) AS Duration,
  clean(run.User) AS User,
  run.Models AS `Model calls`,
  run.Tools AS `Tool calls`,
  run.Failed AS Errors,
  run.Tokens AS Tokens,
  run.Cost AS Cost,
  run.Trace AS TraceId
FROM (
  SELECT SessionId, min(Start) AS Began, max(End) AS Ended, max(UserId) AS User, sum(ModelCalls) AS Models,
    sum(ToolCalls) AS Tools, sum(Errors) AS Failed, sum(InputTokens) + sum(OutputTokens) AS Tokens, sum(CostUsd) AS Cost,
    argMaxMerge(LastTraceId) AS Trace
  FROM session_activity
  WHERE Agent IN (SELECT Agent FROM names)
    AND Day >= toDate($__fromTime) - 1 AND Day <= toDate($__toTime) AND End >= $__fromTime_ms AND Start <= $__toTime_ms
  GROUP BY SessionId
) AS run
LEFT JOIN (
  SELECT SessionId, max(Severity) AS Worst, count() AS Findings
  FROM findings FINAL
  WHERE $__timeFilter_ms(Timestamp)
    AND clean(if(AgentName = '', ServiceName, AgentName)) = decodeURLComponent('${agent:percentencode}')
  GROUP BY SessionId
) AS found ON found.SessionId = run.SessionId
ORDER BY found.Worst DESC, Started DESC, Session
LIMIT 200
SETTINGS $__adHocFilters('session_activity')
