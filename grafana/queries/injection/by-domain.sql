-- Hosts that only the content named and that the model then wanted to send to, with how far their sessions came.
-- include injection/with-sessions
SELECT
  clean(Host) AS Host,
  count() AS Followed,
  countIf(ActedAt IS NOT NULL) AS Acted,
  arrayStringConcat(arraySort(groupUniqArray(10)(Agent)), ', ') AS Agents,
  min(FollowedAt) AS `First followed`,
  max(FollowedAt) AS `Last followed`,
  argMax(FirstTrace, DetectedAt) AS TraceId
FROM staged
ARRAY JOIN Named AS Host
WHERE Host != '' AND FollowedAt IS NOT NULL
GROUP BY Host
ORDER BY Acted DESC, Followed DESC, Host
LIMIT 100
SETTINGS $__adHocFilters('findings')
