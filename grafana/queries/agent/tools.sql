-- Tools the agent called in this time range, and since when it has been calling them at all.
WITH
  names AS (SELECT DISTINCT Agent FROM session_activity WHERE Agent = decodeURLComponent('${agent:percentencode}')),
  known AS (
    SELECT ToolName, min(FirstSeen) AS Seen
    FROM agent_activity
    WHERE Agent IN (SELECT Agent FROM names)
      AND ToolName != ''
    GROUP BY ToolName
  )
SELECT
  ToolName AS Tool,
  if(any(known.Seen) >= $__fromTime_ms, 'new', '') AS New,
  sum(Spans) AS Calls,
  sum(Errors) AS Errors,
  Errors / Calls AS `Error rate`,
  sumIf(Spans, Decision = 'denied') AS Denied,
  quantilesTDigestMerge(0.5, 0.95, 0.99)(Durations)[1] AS `Half within`,
  quantilesTDigestMerge(0.5, 0.95, 0.99)(Durations)[2] AS `95 % within`,
  any(known.Seen) AS `First seen`,
  max(LastSeen) AS `Last seen`
FROM agent_activity
INNER JOIN known USING (ToolName)
WHERE Agent IN (SELECT Agent FROM names)
  AND Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
GROUP BY ToolName
ORDER BY New DESC, Calls DESC, Tool
LIMIT 200
SETTINGS $__adHocFilters('agent_activity')
