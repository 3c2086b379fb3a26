-- Where the text stood and which tool brought it, with how far its sessions came. A session counts at each of its sources.
-- include injection/with-sessions
SELECT
  if(Place = '', 'not told', Place) AS `Stood in`,
  if(Source = '', 'not told', clean(Source)) AS `Brought by`,
  count() AS Detected,
  countIf(FollowedAt IS NOT NULL) AS Followed,
  countIf(ActedAt IS NOT NULL) AS Acted,
  max(DetectedAt) AS `Last detected`,
  argMax(FirstTrace, DetectedAt) AS TraceId
FROM staged
ARRAY JOIN if(empty(arrayFilter(place -> place != '', Places)), [''], arrayFilter(place -> place != '', Places)) AS Place
ARRAY JOIN if(empty(Sources), [''], Sources) AS Source
GROUP BY Place, Source
ORDER BY Acted DESC, Followed DESC, Detected DESC, `Stood in`, `Brought by`
LIMIT 200
SETTINGS $__adHocFilters('findings')
