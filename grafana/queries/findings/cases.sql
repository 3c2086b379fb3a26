-- Cases, the worst first, then those with the newest findings: open ones whatever the time range, closed ones of this time range. The
-- view case_list works out what is open.
WITH text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  Status,
  Level,
  leftUTF8(replaceRegexpAll(Headline, '[\\p{Cc}\\p{Cf}]', ' '), 500) AS Headline,
  FirstSeen AS `First seen`,
  LastSeen AS `Last seen`,
  Findings,
  length(Votes.RuleId) AS Rules,
  arrayStringConcat(arrayMap(agent -> clean(agent), arraySlice(list.Agents, 1, 5)), ', ') AS Agents,
  toString(Disposition) AS Disposition,
  TraceIds[1] AS TraceId,
  CaseId AS `Case`
FROM (SELECT * FROM case_list WHERE '${status:percentencode}' IN ('any', Status)) AS list
WHERE (list.Status = 'open' OR $__timeFilter_ms(list.LastSeen))
  AND Severity >= toUInt8OrZero('${severity:percentencode}')
  AND $__conditionalAll(arrayExists(agent -> clean(agent) = decodeURLComponent('${agent:percentencode}'), list.Agents), $agent)
ORDER BY Severity DESC, `Last seen` DESC, `Case`
LIMIT 100
SETTINGS $__adHocFilters('findings')
