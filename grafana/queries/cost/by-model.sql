-- What each model cost, how fast it answered and how often it failed.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean,
  quantilesTDigestMerge(0.5, 0.95, 0.99)(Durations) AS Quantiles
SELECT
  if(Model = '', 'not told', clean(Model)) AS Model,
  sum(Spans) AS Calls,
  sum(agent_activity.Errors) AS Errors,
  Errors / Calls AS `Error rate`,
  Quantiles[1] AS p50,
  Quantiles[2] AS p95,
  Quantiles[3] AS p99,
  sum(InputTokens) AS `Tokens in`,
  sum(OutputTokens) AS `Tokens out`,
  if(`Tokens in` = 0, NULL, sum(CachedTokens) / `Tokens in`) AS `From cache`,
  sum(CostUsd) AS Cost,
  if(`Tokens in` + `Tokens out` = 0 OR Cost = 0, NULL, Cost / (`Tokens in` + `Tokens out`) * 1000000) AS `Cost of 1M tokens`,
  sum(UnpricedCalls) AS `Without a price`
FROM agent_activity
WHERE OperationName IN ('chat', 'text_completion', 'generate_content') AND Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
  AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
  AND $__conditionalAll(clean(agent_activity.Model) = decodeURLComponent('${model:percentencode}'), $model)
GROUP BY agent_activity.Model
ORDER BY Cost DESC, Calls DESC, Model
LIMIT 200
SETTINGS $__adHocFilters('agent_activity')
