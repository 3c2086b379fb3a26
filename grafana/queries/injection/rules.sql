-- Which rules stand behind which stage: every finding they made, whether or not its session counts.
-- include injection/with-signs
SELECT
  Stage,
  Level,
  RuleTitle AS Rule,
  count() AS Findings,
  uniqExact(SessionId) AS Sessions,
  max(Timestamp) AS `Last seen`,
  argMax(TraceId, Timestamp) AS TraceId,
  clean(RuleId) AS `Rule id`
FROM signs
ARRAY JOIN arrayFilter(stage -> stage != '', [
  if(IsText, 'detected', ''), if(IsFlow, 'followed', ''), if(IsDeed, 'acted', '')]) AS Stage
GROUP BY Stage, RuleId, RuleTitle, Level
ORDER BY indexOf(['detected', 'followed', 'acted'], Stage), Findings DESC, Rule
LIMIT 200
SETTINGS $__adHocFilters('findings')
