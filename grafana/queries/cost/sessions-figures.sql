-- What a session costs: one row. Sessions are those with a model call that were under way in the time range, each with all of its days in it.
SELECT
  count() AS sessions,
  if(count() = 0, NULL, avg(Cost)) AS `mean cost`,
  if(count() = 0, NULL, quantile(0.5)(Cost)) AS `median cost`,
  if(count() = 0, NULL, quantile(0.95)(Cost)) AS `p95 cost`,
  if(count() = 0, NULL, max(Cost)) AS `dearest`
FROM (
  SELECT sum(CostUsd) AS Cost
  FROM session_activity
  WHERE Day >= toDate($__fromTime) AND Day <= toDate($__toTime)
    AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
  GROUP BY Agent, SessionId
  HAVING sum(ModelCalls) > 0 AND min(session_activity.Start) <= $__toTime_ms AND max(session_activity.End) >= $__fromTime_ms
)
SETTINGS $__adHocFilters('agent_activity')
