-- What each agent spent, beside the time before, and what one of its sessions costs.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  clean(spent.Agent) AS Agent,
  spent.Now AS Cost,
  spent.Before AS Before,
  if(spent.Before = 0, NULL, spent.Now / spent.Before - 1) AS Change,
  if(sum(spent.Now) OVER () = 0, NULL, spent.Now / sum(spent.Now) OVER ()) AS Share,
  if(every.Sessions = 0, NULL, every.Cost / every.Sessions) AS `Cost a session`,
  every.Sessions AS Sessions,
  spent.Calls AS `Model calls`,
  spent.Tokens AS Tokens,
  spent.Unpriced AS `Without a price`,
  if(spent.Calls = 0, NULL, spent.Failed / spent.Calls) AS `Error rate`
FROM (
  SELECT
    Agent, sumIf(CostUsd, IsNow) AS Now, sumIf(CostUsd, NOT IsNow) AS Before, sumIf(Spans, IsNow AND IsCall) AS Calls,
    sumIf(InputTokens + OutputTokens, IsNow) AS Tokens, sumIf(UnpricedCalls, IsNow) AS Unpriced,
    sumIf(Errors, IsNow AND IsCall) AS Failed
  FROM (
    SELECT
      Agent, CostUsd, Spans, InputTokens, OutputTokens, UnpricedCalls, Errors,
      Time >= toStartOfFiveMinutes($__fromTime) AS IsNow,
      OperationName IN ('chat', 'text_completion', 'generate_content') AS IsCall
    FROM agent_activity
    WHERE Time >= toStartOfFiveMinutes($__fromTime - ($__toTime - $__fromTime)) AND Time <= $__toTime
      AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
      AND $__conditionalAll(clean(Model) = decodeURLComponent('${model:percentencode}'), $model)
  )
  GROUP BY Agent
  HAVING Calls + Tokens + Before > 0
) AS spent
LEFT JOIN (
  SELECT Agent, countIf(Models > 0) AS Sessions, sum(Cost) AS Cost
  FROM (
    SELECT Agent, SessionId, sum(ModelCalls) AS Models, sum(CostUsd) AS Cost
    FROM session_activity
    WHERE Day >= toDate($__fromTime) AND Day <= toDate($__toTime)
    GROUP BY Agent, SessionId
    HAVING min(session_activity.Start) <= $__toTime_ms AND max(session_activity.End) >= $__fromTime_ms
  )
  GROUP BY Agent
) AS every ON every.Agent = spent.Agent
ORDER BY Cost DESC, Tokens DESC, Agent
LIMIT 200
SETTINGS $__adHocFilters('agent_activity')
