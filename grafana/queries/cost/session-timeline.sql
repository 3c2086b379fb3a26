-- What sessions cost that began in an interval: the middle one, and the one that 95 of 100 stay below.
SELECT
  $__timeInterval(Started) AS time,
  quantile(0.5)(Cost) AS median,
  quantile(0.95)(Cost) AS p95,
  max(Cost) AS dearest
FROM (
  SELECT min(session_activity.Start) AS Started, sum(CostUsd) AS Cost
  FROM session_activity
  WHERE Day >= toDate($__fromTime) AND Day <= toDate($__toTime)
    AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
  GROUP BY Agent, SessionId
  HAVING sum(ModelCalls) > 0 AND min(session_activity.Start) <= $__toTime_ms AND max(session_activity.End) >= $__fromTime_ms
)
WHERE Started >= $__fromTime_ms
GROUP BY time
ORDER BY time
SETTINGS $__adHocFilters('agent_activity')
