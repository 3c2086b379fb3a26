-- Sessions in which commanding text came in, those that went furthest first.
-- include injection/with-sessions
SELECT
  Stage,
  Agent,
  clean(SessionId) AS Session,
  DetectedAt AS Detected,
  dateDiff('millisecond', DetectedAt, FollowedAt) AS `Followed after`,
  dateDiff('millisecond', DetectedAt, ifNull(ActedAt, UntracedAt)) AS `Acted after`,
  clean(arrayStringConcat(arraySort(arrayFilter(place -> place != '', Places)), ', ')) AS `Stood in`,
  clean(arrayStringConcat(arraySort(Sources), ', ')) AS `Brought by`,
  clean(arrayStringConcat(arraySort(Asked), ', ')) AS `Asked for`,
  clean(arrayStringConcat(arraySort(arrayDistinct(arrayMap(
    deed -> deed.2, multiIf(ActedAt IS NOT NULL, Ran, UntracedAt IS NOT NULL, Suspect, [])))), ', ')) AS `Calls that ran`,
  leftUTF8(replaceRegexpAll(arrayStringConcat(arraySort(Rules), ', '), '[\\p{Cc}\\p{Cf}]', ' '), 500) AS Rules,
  FirstTrace AS TraceId
FROM staged
ORDER BY indexOf(['detected', 'followed', 'acted, way not seen', 'acted'], Stage) DESC, Detected DESC, Session
LIMIT 300
SETTINGS $__adHocFilters('findings')
