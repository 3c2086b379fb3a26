-- Decisions per interval, by what was decided and whether a person did.
WITH
-- include approvals/decisions
SELECT
  $__timeInterval(Time) AS time,
  sumIf(Spans, Value != 'denied' AND NOT IsPerson) AS `approved without a person`,
  sumIf(Spans, Value != 'denied' AND IsPerson) AS `approved by a person`,
  sumIf(Spans, Value = 'denied' AND NOT IsPerson) AS `denied without a person`,
  sumIf(Spans, Value = 'denied' AND IsPerson) AS `denied by a person`
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
