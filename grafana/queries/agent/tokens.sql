-- Tokens of the agent over time and what they cost. Tokens read from the cache are a part of the input.
WITH
  names AS (SELECT DISTINCT Agent FROM session_activity WHERE Agent = decodeURLComponent('${agent:percentencode}'))
SELECT
  $__timeInterval(Time) AS time,
  sum(InputTokens) - `from cache` AS input,
  least(sum(CachedTokens), sum(InputTokens)) AS `from cache`,
  sum(OutputTokens) AS output,
  sum(CostUsd) AS cost
FROM agent_activity
WHERE Agent IN (SELECT Agent FROM names)
  AND Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
GROUP BY time
ORDER BY time
SETTINGS $__adHocFilters('agent_activity')
