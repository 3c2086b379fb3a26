-- Findings of the session in order, with what matched.
-- include session/spans
SELECT
  Timestamp AS Time,
  Level,
  RuleTitle AS Finding,
  clean(if(ToolName = '', toString(SpanName), toString(ToolName))) AS `On`,
  leftUTF8(replaceRegexpAll(Reason, '[\\p{Cc}\\p{Cf}]', ' '), 500) AS Why,
-- include shared/evidence
  Count AS Times,
  clean(RuleId) AS `Rule id`,
  TraceId
FROM findings FINAL
WHERE TraceId IN (SELECT TraceId FROM trace_ids)
ORDER BY Time, FindingId
LIMIT 200
SETTINGS $__adHocFilters('findings')
