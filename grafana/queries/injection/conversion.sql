-- What part of the sessions in which text was detected in an interval was followed, and acted on.
-- include injection/with-sessions
SELECT
  $__timeInterval(DetectedAt) AS time,
  countIf(FollowedAt IS NOT NULL) / count() AS followed,
  countIf(ActedAt IS NOT NULL) / count() AS acted
FROM staged
GROUP BY time
ORDER BY time
SETTINGS $__adHocFilters('findings')
