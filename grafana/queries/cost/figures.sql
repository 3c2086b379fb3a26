-- What the time range cost, and the one before it that is as long: one row. Calls without a price are in no sum of money.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean,
  Time >= toStartOfFiveMinutes($__fromTime) AS IsNow,
  sumIf(CostUsd, IsNow) AS Now,
  sumIf(CostUsd, NOT IsNow) AS Before
SELECT
  Now AS spent,
  Before AS `spent before`,
  if(Before = 0, NULL, Now / Before - 1) AS change,
  sumIf(InputTokens, IsNow) AS `tokens in`,
  sumIf(OutputTokens, IsNow) AS `tokens out`,
  if(sumIf(InputTokens, IsNow) = 0, NULL, sumIf(CachedTokens, IsNow) / sumIf(InputTokens, IsNow)) AS `in from cache`,
  sumIf(Spans, IsNow AND OperationName IN ('chat', 'text_completion', 'generate_content')) AS `model calls`,
  sumIf(UnpricedCalls, IsNow) AS `calls without a price`
FROM agent_activity
WHERE Time >= toStartOfFiveMinutes($__fromTime - ($__toTime - $__fromTime)) AND Time <= $__toTime
  AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
  AND $__conditionalAll(clean(Model) = decodeURLComponent('${model:percentencode}'), $model)
SETTINGS $__adHocFilters('agent_activity')
