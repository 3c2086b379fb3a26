-- Calls that have tokens and no price, by model, and why.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  if(Model = '', 'not told', clean(Model)) AS Model,
  sum(UnpricedCalls) AS Calls,
  sumIf(InputTokens + OutputTokens, UnpricedCalls > 0) AS Tokens,
  clean(arrayStringConcat(arraySort(groupUniqArrayIf(10)(toString(Agent), UnpricedCalls > 0)), ', ')) AS Agents,
  multiIf(
    agent_activity.Model = '', 'The call names no model.',
    sum(CostUsd) > 0, 'Some of its calls have a price: of another provider or day.',
    'The model is in no price list: add it to prices in the config.') AS Why,
  minIf(FirstSeen, UnpricedCalls > 0) AS `First in range`,
  maxIf(LastSeen, UnpricedCalls > 0) AS `Last seen`,
  argMaxMerge(LastTraceId) AS TraceId
FROM agent_activity
WHERE Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
  AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
  AND $__conditionalAll(clean(agent_activity.Model) = decodeURLComponent('${model:percentencode}'), $model)
GROUP BY agent_activity.Model
HAVING Calls > 0
ORDER BY Calls DESC, Model
LIMIT 100
SETTINGS $__adHocFilters('agent_activity')
