-- Open cases, the most severe first, then those with the newest findings. The view case_list works out what is open.
WITH text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  LastSeen AS `Last seen`,
  Level,
  leftUTF8(replaceRegexpAll(Headline, '[\\p{Cc}\\p{Cf}]', ' '), 500) AS Headline,
  arrayStringConcat(arrayMap(agent -> clean(agent), arraySlice(Agents, 1, 5)), ', ') AS Agents,
  Findings,
  length(Votes.RuleId) AS Rules,
  TraceIds[1] AS TraceId,
  CaseId AS `Case`
FROM (SELECT * FROM case_list WHERE Status = 'open') AS open
WHERE $__timeFilter_ms(LastSeen)
  AND Severity >= toUInt8OrZero('${severity:percentencode}')
  AND $__conditionalAll(arrayExists(agent -> clean(agent) = decodeURLComponent('${agent:percentencode}'), open.Agents), $agent)
ORDER BY Severity DESC, `Last seen` DESC, `Case`
LIMIT 100
SETTINGS $__adHocFilters('findings')
