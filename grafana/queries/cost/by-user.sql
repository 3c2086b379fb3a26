-- What each user's sessions cost. Sessions name their user, not their model, so that the choice of a model does not count here.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  if(Of = '', 'not told', clean(Of)) AS User,
  sum(Cost) AS Cost,
  count() AS Sessions,
  Cost / Sessions AS `Cost a session`,
  sum(Tokens) AS Tokens,
  sum(Calls) AS `Model calls`,
  clean(arrayStringConcat(arraySort(groupUniqArray(10)(toString(Agent))), ', ')) AS Agents,
  max(Newest) AS `Last seen`
FROM (
  SELECT
    Agent, SessionId, max(UserId) AS Of, sum(CostUsd) AS Cost, sum(InputTokens) + sum(OutputTokens) AS Tokens,
    sum(ModelCalls) AS Calls, max(session_activity.End) AS Newest
  FROM session_activity
  WHERE Day >= toDate($__fromTime) AND Day <= toDate($__toTime)
    AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
  GROUP BY Agent, SessionId
  HAVING min(session_activity.Start) <= $__toTime_ms AND max(session_activity.End) >= $__fromTime_ms
)
GROUP BY Of
ORDER BY Cost DESC, Tokens DESC, User
LIMIT 200
SETTINGS $__adHocFilters('agent_activity')
