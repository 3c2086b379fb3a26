-- What rules take of the collector, the dearest first: time on a span as it was timed on some, times all spans it was asked about.
WITH text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  clean(if(titles.RuleTitle = '', Stats.RuleId, titles.RuleTitle)) AS Rule,
  Stats.Nanos / Stats.Samples / 1000 AS `Cost a span`,
  Stats.Nanos / Stats.Samples * Stats.Spans / 1e9 AS `In all`,
  `In all` / sum(`In all`) OVER () AS `Of all rules`,
  Stats.Spans AS Spans,
  Stats.Candidates / nullIf(Stats.Spans, 0) AS `Looked at`,
  Stats.Samples AS Timed,
  clean(Stats.RuleId) AS `Rule id`
FROM (
  SELECT RuleId, sum(Spans) AS Spans, sum(Candidates) AS Candidates, sum(SampledNanos) AS Nanos, sum(SampledSpans) AS Samples
  FROM rule_stats
  WHERE Hour >= toStartOfHour($__fromTime) AND Hour <= $__toTime
  GROUP BY RuleId
  HAVING Samples > 0
) AS Stats
LEFT JOIN (SELECT RuleId, RuleTitle FROM rule_states FINAL) AS titles ON titles.RuleId = Stats.RuleId
WHERE $__conditionalAll(clean(Stats.RuleId) = decodeURLComponent('${rule:percentencode}'), $rule)
ORDER BY `In all` DESC, Rule
LIMIT 100
SETTINGS $__adHocFilters('rule_stats')
