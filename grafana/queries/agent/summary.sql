-- One agent in figures. Sums are of five minutes, so the first ones may begin a little before the time range.
WITH
  names AS (SELECT DISTINCT Agent FROM session_activity WHERE Agent = decodeURLComponent('${agent:percentencode}'))
SELECT
  (
    SELECT uniq(SessionId)
    FROM session_activity
    WHERE Agent IN (SELECT Agent FROM names)
      AND Day >= toDate($__fromTime) - 1 AND Day <= toDate($__toTime) AND End >= $__fromTime_ms AND Start <= $__toTime_ms
  ) AS sessions,
  (
    SELECT uniqIf(UserId, UserId != '')
    FROM session_activity
    WHERE Agent IN (SELECT Agent FROM names)
      AND Day >= toDate($__fromTime) - 1 AND Day <= toDate($__toTime) AND End >= $__fromTime_ms AND Start <= $__toTime_ms
  ) AS users,
  sumIf(Spans, OperationName IN ('chat', 'generate_content', 'text_completion')) AS `model calls`,
  sumIf(Spans, OperationName = 'execute_tool') AS `tool calls`,
  if(sum(Spans) = 0, NULL, sum(Errors) / sum(Spans)) AS `error rate`,
  sum(InputTokens) AS `input tokens`,
  sum(OutputTokens) AS `output tokens`,
  if(sum(CostUsd) = 0 AND sum(UnpricedCalls) > 0, NULL, sum(CostUsd)) AS cost,
  if(sum(Spans) = 0, NULL, max(LastSeen)::DateTime64(9)) AS `last seen`
FROM agent_activity
WHERE Agent IN (SELECT Agent FROM names)
  AND Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
SETTINGS $__adHocFilters('agent_activity')
