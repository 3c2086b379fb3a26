-- Findings of the session as marks on the timeline.
-- include session/spans
SELECT
  Timestamp AS time,
  concat(Level, ': ', RuleTitle) AS title,
  leftUTF8(replaceRegexpAll(Reason, '[\\p{Cc}\\p{Cf}]', ' '), 500) AS text,
  Level AS tags
FROM findings FINAL
WHERE TraceId IN (SELECT TraceId FROM trace_ids)
  AND $__timeFilter_ms(Timestamp)
ORDER BY time
LIMIT 200
SETTINGS $__adHocFilters('findings')
