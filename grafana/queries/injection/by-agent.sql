-- The funnel of each agent, beside all its sessions.
-- include injection/with-sessions
SELECT
  staged.Agent,
  any(every.Sessions) AS Sessions,
  count() AS Detected,
  countIf(FollowedAt IS NOT NULL) AS Followed,
  countIf(ActedAt IS NOT NULL) AS Acted,
  countIf(UntracedAt IS NOT NULL) AS `Way not seen`,
  countIf(FollowedAt IS NOT NULL) / count() AS `Followed of detected`,
  max(DetectedAt) AS `Last detected`
FROM staged
LEFT JOIN (
  SELECT Agent, uniqExact(SessionId) AS Sessions
  FROM session_activity
  WHERE Day >= toDate($__fromTime) AND Day <= toDate($__toTime) AND Start <= $__toTime_ms AND End >= $__fromTime_ms
  GROUP BY Agent
) AS every ON every.Agent = staged.Agent
GROUP BY staged.Agent
ORDER BY Acted DESC, Followed DESC, Detected DESC, Agent
LIMIT 100
SETTINGS $__adHocFilters('findings')
