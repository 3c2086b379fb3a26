-- Models the agent called in this time range, with what they cost, and since when it has been calling them at all.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean,
  names AS (SELECT DISTINCT Agent FROM session_activity WHERE Agent = decodeURLComponent('${agent:percentencode}')),
  known AS (
    SELECT Model, min(FirstSeen) AS Seen
    FROM agent_activity
    WHERE Agent IN (SELECT Agent FROM names)
      AND Model != ''
    GROUP BY Model
  )
SELECT
  clean(Model) AS Model,
  if(any(known.Seen) >= $__fromTime_ms, 'new', '') AS New,
  sum(Spans) AS Calls,
  sum(Errors) AS Errors,
  quantilesTDigestMerge(0.5, 0.95, 0.99)(Durations)[2] AS `95 % within`,
  sum(InputTokens) AS Input,
  sum(CachedTokens) AS `From cache`,
  sum(OutputTokens) AS Output,
  if(sum(CostUsd) = 0 AND sum(UnpricedCalls) > 0, NULL, sum(CostUsd)) AS Cost,
  sum(UnpricedCalls) AS `Without price`,
  any(known.Seen) AS `First seen`,
  max(LastSeen) AS `Last seen`
FROM agent_activity AS calls
INNER JOIN known ON known.Model = calls.Model
WHERE Agent IN (SELECT Agent FROM names)
  AND Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
GROUP BY calls.Model
ORDER BY sum(CostUsd) DESC, Calls DESC, Model
LIMIT 100
SETTINGS $__adHocFilters('agent_activity')
