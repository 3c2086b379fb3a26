-- What each rule saw, found and cost, those that are disabled first. Silence without spans is no calm. Counters are of whole
-- hours and come every minute; those of a broken set of rules stand in one line of their own.
WITH text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  multiIf(States.State = 'set_refused', 'all rules', clean(if(States.RuleTitle = '', Stats.Rule, States.RuleTitle))) AS Rule,
  multiIf(States.State = 'set_refused', 'newest set refused', States.State = 'active' AND Stats.Spans = 0, 'no spans',
    States.State = '', 'unknown', toString(States.State)) AS State,
  Stats.Spans AS Spans,
  Stats.Candidates AS Candidates,
  Stats.Matches AS Matches,
  Stats.Suppressed AS Suppressed,
  Stats.Errors AS Errors,
  if(Stats.Samples = 0, NULL, Stats.Nanos / Stats.Samples / 1000) AS `Cost a span`,
  if(Stats.LastMatch = 0, NULL, Stats.LastMatch) AS `Last match`,
  leftUTF8(replaceRegexpAll(States.Reason, '[\\p{Cc}\\p{Cf}]', ' '), 500) AS Why,
  clean(if(Stats.Rule = '', States.RuleId, Stats.Rule)) AS `Rule id`
FROM (
  SELECT RuleId AS Rule, sum(Spans) AS Spans, sum(Candidates) AS Candidates, sum(Matches) AS Matches,
    sum(Suppressed) AS Suppressed, sum(Errors) AS Errors, sum(SampledNanos) AS Nanos, sum(SampledSpans) AS Samples,
    max(LastMatch)::DateTime64(9) AS LastMatch
  FROM rule_stats
  WHERE Hour >= toStartOfHour($__fromTime_ms) AND Hour <= $__toTime_ms
  GROUP BY RuleId
) AS Stats
FULL JOIN (
  SELECT RuleId, RuleTitle, State, Reason FROM rule_states FINAL WHERE State NOT IN ('removed', 'set_loaded')
) AS States ON Stats.Rule = States.RuleId
WHERE $__conditionalAll(clean(if(Stats.Rule = '', States.RuleId, Stats.Rule)) = decodeURLComponent('${rule:percentencode}'), $rule)
ORDER BY indexOf(['set_refused', 'disabled'], States.State) = 0, Errors DESC, Matches DESC, Spans DESC, Rule
LIMIT 500
SETTINGS $__adHocFilters('findings')
