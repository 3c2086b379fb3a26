-- Whether anything arrives, and what it costs. Sums are of five minutes, so the first ones may begin a little before the time range.
SELECT
  sum(Spans) AS spans,
  if(spans = 0, NULL, max(LastSeen)::DateTime64(9)) AS `newest span`,
  uniqIf(Agent, OperationName != '') AS agents,
  (
    SELECT uniq(SessionId)
    FROM session_activity
    WHERE Day >= toDate($__fromTime) - 1 AND Day <= toDate($__toTime) AND End >= $__fromTime_ms AND Start <= $__toTime_ms
      AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
  ) AS sessions,
  (
    SELECT if(sum(CostUsd) = 0 AND sum(UnpricedCalls) > 0, NULL, sum(CostUsd))
    FROM agent_activity
    WHERE Time >= toStartOfDay(now('UTC'))
      AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
  ) AS `cost today`
FROM agent_activity
WHERE Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
  AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
SETTINGS $__adHocFilters('agent_activity')
