-- The collector in one line, as far as its tables tell: the newest span of all, the rules that run, and what was refused.
SELECT
  (SELECT if(count() = 0, NULL, max(LastSeen)::DateTime64(9)) FROM agent_activity) AS `newest span of all`,
  countIf(State = 'active') AS `active rules`,
  countIf(State = 'disabled') AS `disabled rules`,
  countIf(State = 'set_refused') AS `refused sets of rules`,
  (
    SELECT sum(Errors)
    FROM rule_stats
    WHERE Hour >= toStartOfHour($__fromTime) AND Hour <= $__toTime
  ) AS `errors of rules`
FROM rule_states FINAL
SETTINGS $__adHocFilters('rule_states')
