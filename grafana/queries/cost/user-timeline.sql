-- US dollars by the time at which sessions began, of the ten dearest users; the rest is one series.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  $__timeInterval(Started) AS time,
  multiIf(Of = '', 'not told', Of IN (
    SELECT UserId FROM session_activity
    WHERE Day >= toDate($__fromTime) AND Day <= toDate($__toTime) AND UserId != ''
      AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
    GROUP BY UserId ORDER BY sum(CostUsd) DESC, UserId LIMIT 10
  ), clean(Of), 'all others') AS User,
  sum(Cost) AS Value
FROM (
  SELECT min(Start) AS Started, max(UserId) AS Of, sum(CostUsd) AS Cost
  FROM session_activity
  WHERE Day >= toDate($__fromTime) AND Day <= toDate($__toTime)
    AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
  GROUP BY Agent, SessionId
)
WHERE Cost > 0 AND Started >= $__fromTime_ms AND Started <= $__toTime_ms
GROUP BY time, User
ORDER BY time, User
SETTINGS $__adHocFilters('agent_activity')
