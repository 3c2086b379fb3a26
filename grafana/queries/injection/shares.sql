-- What part of the sessions went on to the next stage, and how fast: one row.
-- include injection/with-sessions
SELECT
  if(count() = 0, NULL, countIf(FollowedAt IS NOT NULL) / count()) AS `followed of detected`,
  if(countIf(FollowedAt IS NOT NULL) = 0, NULL, countIf(ActedAt IS NOT NULL) / countIf(FollowedAt IS NOT NULL)) AS `acted of followed`,
  countIf(UntracedAt IS NOT NULL) AS `acted, way not seen`,
  if(countIf(ActedAt IS NOT NULL) = 0, NULL,
    quantileIf(0.5)(dateDiff('millisecond', DetectedAt, assumeNotNull(ActedAt)), ActedAt IS NOT NULL)) AS `detected to acted`
FROM staged
SETTINGS $__adHocFilters('findings')
