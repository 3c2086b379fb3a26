-- Open cases with the agent in them, the worst first, whatever the time range.
WITH text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  Level,
  leftUTF8(replaceRegexpAll(Headline, '[\\p{Cc}\\p{Cf}]', ' '), 500) AS Headline,
  FirstSeen AS Opened,
  Findings,
  CaseId AS `Case`
FROM (SELECT * FROM case_list WHERE Status = 'open') AS open
WHERE arrayExists(agent -> clean(agent) = decodeURLComponent('${agent:percentencode}'), open.Agents)
ORDER BY Severity DESC, Opened, `Case`
LIMIT 50
SETTINGS $__adHocFilters('cases')
