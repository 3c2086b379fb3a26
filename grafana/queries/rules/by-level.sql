-- Rules that are loaded, by level, and how many of them fired in the time range.
SELECT
  states.Level AS Level,
  countIf(State = 'active') AS Running,
  countIf(State = 'disabled') AS Disabled,
  countIf(fired.Matches > 0) AS Fired,
  sum(fired.Matches) AS Matches
FROM (SELECT RuleId, Level, State FROM rule_states FINAL WHERE RuleId != '' AND State IN ('active', 'disabled')) AS states
LEFT JOIN (
  SELECT RuleId, sum(Matches) AS Matches FROM rule_stats
  WHERE Hour >= toStartOfHour($__fromTime) AND Hour <= $__toTime GROUP BY RuleId
) AS fired ON fired.RuleId = states.RuleId
GROUP BY Level
ORDER BY indexOf(['critical', 'high', 'medium', 'low', 'informational'], Level)
SETTINGS $__adHocFilters('rule_stats')
