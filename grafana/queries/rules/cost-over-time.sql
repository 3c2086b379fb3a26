-- What all rules together take of a span, as means of what was timed in each interval.
WITH text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT time, sum(Nanos / Samples) / 1e9 AS `all rules, a span`, max(Nanos / Samples) / 1e9 AS `dearest rule, a span`
FROM (
  SELECT $__timeInterval(Hour) AS time, RuleId, sum(SampledNanos) AS Nanos, sum(SampledSpans) AS Samples
  FROM rule_stats
  WHERE Hour >= toStartOfHour($__fromTime) AND Hour <= $__toTime
    AND $__conditionalAll(clean(RuleId) = decodeURLComponent('${rule:percentencode}'), $rule)
  GROUP BY time, RuleId
  HAVING Samples > 0
)
GROUP BY time
ORDER BY time
SETTINGS $__adHocFilters('rule_stats')
