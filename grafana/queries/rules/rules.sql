-- Every rule that is loaded or was counted, those that want attention first, in the order of `spanwarden rules status`: disabled, failing,
-- mostly false, no spans, then those that fire and those that are quiet. What stands under former ids of a rule is its own.
-- Whether every field that a rule needs arrives, SQL cannot say: what a rule needs does not stand in the database.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean,
  known AS (SELECT RuleId, RuleTitle, RuleVersion, Level, State, Reason, arrayJoin(arrayPushBack(FormerIds, RuleId)) AS Id
    FROM rule_states FINAL WHERE RuleId != '' AND State IN ('active', 'disabled')),
  counted AS (
    SELECT if(known.RuleId = '', rule_stats.RuleId, known.RuleId) AS Rule, sum(rule_stats.Spans) AS Spans, sum(Matches) AS Matches,
      sum(Findings) AS Findings, sum(Suppressed) AS Suppressed, sum(Errors) AS Errors, sum(SampledNanos) AS Nanos,
      sum(SampledSpans) AS Samples, max(LastMatch)::DateTime64(9) AS LastMatch, uniqIf(AgentName, AgentName != '') AS Agents
    FROM rule_stats
    LEFT JOIN known ON known.Id = rule_stats.RuleId
    WHERE Hour >= toStartOfHour($__fromTime) AND Hour <= $__toTime
    GROUP BY Rule
  ),
  marked AS (
    SELECT if(known.RuleId = '', marks.RuleId, known.RuleId) AS Rule, count() AS Marked, countIf(Said = 'false-positive') AS False
    FROM (SELECT any(finding_marks.RuleId) AS RuleId, argMax(Disposition, MarkedAt) AS Said FROM finding_marks GROUP BY FindingId) AS marks
    LEFT JOIN known ON known.Id = marks.RuleId
    GROUP BY Rule
  )
SELECT
  clean(if(states.RuleTitle = '', every.Id, states.RuleTitle)) AS Title,
  states.Level AS Level,
  multiIf(
    states.State = 'disabled', 'disabled',
    counted.Errors > 0, 'failing',
    marked.False > 0 AND marked.False * 2 >= marked.Marked, 'mostly false',
    states.RuleId = '', 'not loaded',
    counted.Matches > 0, 'fires',
    counted.Spans = 0, 'no spans',
    'quiet') AS Verdict,
  counted.Matches AS Matches,
  counted.Findings AS Findings,
  if(counted.Spans = 0, NULL, counted.Matches / counted.Spans * 1000) AS `Per 1,000 spans`,
  counted.Spans AS Spans,
  counted.Agents AS Agents,
  if(marked.Marked = 0, NULL, marked.False / marked.Marked) AS `False of marked`,
  marked.Marked AS Marked,
  counted.Suppressed AS Suppressed,
  counted.Errors AS Errors,
  if(counted.Samples = 0, NULL, counted.Nanos / counted.Samples / 1000) AS `Cost a span`,
  if(counted.LastMatch = 0, NULL, counted.LastMatch) AS `Last match`,
  leftUTF8(replaceRegexpAll(states.Reason, '[\\p{Cc}\\p{Cf}]', ' '), 500) AS Why,
  clean(every.Id) AS `Rule id`
FROM (SELECT RuleId AS Id FROM known UNION DISTINCT SELECT Rule AS Id FROM counted) AS every
LEFT JOIN (SELECT RuleId, any(RuleTitle) AS RuleTitle, any(Level) AS Level, any(State) AS State, any(Reason) AS Reason FROM known GROUP BY RuleId)
  AS states ON states.RuleId = every.Id
LEFT JOIN counted ON counted.Rule = every.Id
LEFT JOIN marked ON marked.Rule = every.Id
WHERE $__conditionalAll(clean(every.Id) = decodeURLComponent('${rule:percentencode}'), $rule)
ORDER BY indexOf(['disabled', 'failing', 'mostly false', 'no spans', 'not loaded', 'fires', 'quiet'], Verdict), Matches DESC, Spans DESC,
  every.Id
LIMIT 1000
SETTINGS $__adHocFilters('rule_stats')
