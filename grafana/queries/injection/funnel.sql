-- How many sessions came how far: one row.
-- include injection/with-sessions
SELECT
  count() AS detected,
  countIf(FollowedAt IS NOT NULL) AS followed,
  countIf(ActedAt IS NOT NULL) AS acted
FROM staged
SETTINGS $__adHocFilters('findings')
