-- Open cases, the worst first, of these the oldest. Whatever the time range: an open case waits until it is closed.
WITH text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  Level,
  leftUTF8(replaceRegexpAll(Headline, '[\\p{Cc}\\p{Cf}]', ' '), 500) AS Headline,
  FirstSeen AS Opened,
  LastSeen AS `Last seen`,
  arrayStringConcat(arrayMap(agent -> clean(agent), arraySlice(open.Agents, 1, 5)), ', ') AS Agents,
  Findings,
  greatest(length(Conversations), length(TraceIds)) AS Runs,
  CaseId AS `Case`
FROM (SELECT * FROM case_list WHERE Status = 'open') AS open
WHERE $__conditionalAll(arrayExists(agent -> clean(agent) = decodeURLComponent('${agent:percentencode}'), open.Agents), $agent)
ORDER BY Severity DESC, Opened, `Case`
LIMIT 50
SETTINGS $__adHocFilters('cases')
