-- How rules stand and what they did in the time range, in one row. A rule is silent when it runs and has matched nothing.
SELECT
  (SELECT countIf(State = 'active') FROM rule_states FINAL WHERE RuleId != '') AS running,
  countIf(Matches > 0) AS fired,
  greatest(toInt64(running) - toInt64(fired), 0) AS silent,
  (SELECT countIf(State = 'disabled') FROM rule_states FINAL WHERE RuleId != '') AS disabled,
  countIf(Errors > 0) AS failing,
  sum(Suppressed) AS suppressed,
  (SELECT countIf(Disposition = 'false-positive') / nullIf(count(), 0) FROM (
    SELECT argMax(Disposition, MarkedAt) AS Disposition FROM finding_marks WHERE $__timeFilter_ms(MarkedAt) GROUP BY FindingId
  )) AS `marked as false`,
  sum(Nanos / nullIf(Samples, 0)) / 1000 AS `cost of a span`
FROM (
  SELECT RuleId, sum(Matches) AS Matches, sum(Errors) AS Errors, sum(Suppressed) AS Suppressed, sum(SampledNanos) AS Nanos,
    sum(SampledSpans) AS Samples
  FROM rule_stats
  WHERE Hour >= toStartOfHour($__fromTime) AND Hour <= $__toTime
  GROUP BY RuleId
)
SETTINGS $__adHocFilters('rule_stats')
