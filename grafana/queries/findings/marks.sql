-- What people said about findings in this time range, the newest first.
WITH text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  MarkedAt AS Time,
  Disposition,
  clean(found.Title) AS Finding,
  clean(if(found.AgentName = '', found.ServiceName, found.AgentName)) AS Agent,
  leftUTF8(replaceRegexpAll(Reason, '[\\p{Cc}\\p{Cf}]', ' '), 500) AS Reason,
  clean(MarkedBy) AS `By`,
  found.Trace AS TraceId,
  clean(RuleId) AS `Rule id`
FROM finding_marks
LEFT JOIN (
  SELECT FindingId, any(RuleTitle) AS Title, any(AgentName) AS AgentName, any(ServiceName) AS ServiceName, any(TraceId) AS Trace
  FROM findings
  WHERE FindingId IN (SELECT FindingId FROM finding_marks WHERE $__timeFilter_ms(MarkedAt))
  GROUP BY FindingId
) AS found USING (FindingId)
WHERE $__timeFilter_ms(MarkedAt)
  AND $__conditionalAll(clean(RuleId) = decodeURLComponent('${rule:percentencode}'), $rule)
ORDER BY Time DESC
LIMIT 100
SETTINGS $__adHocFilters('findings')
