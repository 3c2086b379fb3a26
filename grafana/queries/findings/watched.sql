-- Whether anything is watched at all. Without findings this tells calm from silence, so it knows no filter but the time. It reads
-- what spans add up to in steps of five minutes, not the spans.
SELECT
  sum(Spans) AS spans,
  uniq(ServiceName) AS services,
  uniqIf(Agent, Agent != ServiceName) AS agents,
  if(sum(Spans) = 0, NULL, max(LastSeen)) AS `last span`
FROM agent_activity
WHERE Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
SETTINGS $__adHocFilters('findings')
