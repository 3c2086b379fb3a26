-- How long each agent has been silent at the end of the time range, against the longest silence within it. Times are steps of five minutes.
SELECT
  Agent,
  multiIf(length(Times) < 3, 'too little to tell', Silence > 3600 AND Silence > 2 * Longest, 'gone silent', Silence > 3600 AND Silence > Longest,
    'longer than ever', 'as usual') AS Verdict,
  dateDiff('second', Times[-1], least($__toTime, now())) AS Silence,
  arrayMax(arrayMap((b, a) -> dateDiff('second', a, b), arraySlice(Times, 2), arraySlice(Times, 1, length(Times) - 1))) AS Longest,
  Seen AS `Last seen`,
  round(length(Times) / (dateDiff('second', $__fromTime, $__toTime) / 86400), 1) AS `Active steps a day`,
  Told AS Spans
FROM (
  SELECT Agent, arraySort(groupUniqArray(Time)) AS Times, max(LastSeen) AS Seen, sum(Spans) AS Told
  FROM agent_activity
  WHERE OperationName != '' AND Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
    AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
  GROUP BY Agent
)
ORDER BY indexOf(['gone silent', 'longer than ever', 'as usual', 'too little to tell'], Verdict), Silence DESC, Agent
LIMIT 500
SETTINGS $__adHocFilters('agent_activity')
