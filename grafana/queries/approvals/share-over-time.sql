-- The share of decisions that denied, per interval: all, and those that people made.
WITH
-- include approvals/decisions
SELECT
  $__timeInterval(Time) AS time,
  sumIf(Spans, Value = 'denied') / sum(Spans) AS `all decisions`,
  sumIf(Spans, Value = 'denied' AND IsPerson) / nullIf(sumIf(Spans, IsPerson), 0) AS `decisions of people`
FROM (
  SELECT Time, Value, startsWith(lower(Detail), 'user') AS IsPerson, sum(Spans) AS Spans
  FROM agent_values
  WHERE (Kind, Agent) IN (SELECT Kind, Agent FROM decisions)
    AND Kind IN ('decision', 'logged_decision')
    AND Time >= toStartOfHour($__fromTime) AND Time <= $__toTime
  GROUP BY Time, Value, Detail
)
GROUP BY time
ORDER BY time
SETTINGS $__adHocFilters('agent_values')
