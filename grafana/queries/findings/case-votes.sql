-- What each rule says about the chosen case.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean,
  (
    SELECT any(if(MergedInto = '', CaseId, MergedInto))
    FROM cases FINAL
    WHERE CaseId = decodeURLComponent('${case_id:percentencode}')
  ) AS case_id
SELECT
  toString(vote.Level) AS Level,
  clean(vote.RuleTitle) AS Rule,
  vote.Findings AS Findings,
  vote.Count AS Times,
  clean(vote.RuleId) AS `Rule id`
FROM cases FINAL
ARRAY JOIN Votes AS vote
WHERE CaseId = case_id
ORDER BY indexOf(['critical', 'high', 'medium', 'low', 'informational'], vote.Level), Findings DESC, Rule
LIMIT 100
SETTINGS $__adHocFilters('findings')
