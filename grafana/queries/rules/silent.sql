-- Rules that run and matched nothing in the time range, with what may be the reason and when they last did.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean,
  ever AS (
    SELECT RuleId, max(LastMatch)::DateTime64(9) AS LastMatch,
      sumIf(Spans, Hour >= toStartOfHour($__fromTime) AND Hour <= $__toTime) AS Spans,
      sumIf(Candidates, Hour >= toStartOfHour($__fromTime) AND Hour <= $__toTime) AS Candidates,
      sumIf(Suppressed, Hour >= toStartOfHour($__fromTime) AND Hour <= $__toTime) AS Suppressed,
      sumIf(Matches, Hour >= toStartOfHour($__fromTime) AND Hour <= $__toTime) AS Matches
    FROM rule_stats GROUP BY RuleId
  )
SELECT
  clean(if(RuleTitle = '', RuleId, RuleTitle)) AS Rule,
  Level,
  multiIf(
    ever.Suppressed > 0, 'all of it suppressed',
    ever.Spans = 0, 'no span of its logsource, or a correlation without matches',
    ever.Candidates = 0, 'no span came near it',
    'looked at spans, matched none') AS Reason,
  ever.Spans AS Spans,
  ever.Candidates AS `Looked at`,
  ever.Suppressed AS Suppressed,
  if(ever.LastMatch = 0, NULL, ever.LastMatch) AS `Last match`,
  clean(RuleId) AS `Rule id`
FROM rule_states FINAL
LEFT JOIN ever USING (RuleId)
WHERE RuleId != '' AND State = 'active' AND ever.Matches = 0
  AND $__conditionalAll(clean(RuleId) = decodeURLComponent('${rule:percentencode}'), $rule)
ORDER BY Suppressed DESC, Spans DESC, Rule
LIMIT 500
SETTINGS $__adHocFilters('rule_stats')
