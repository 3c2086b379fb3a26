-- Whether anything is watched at all. Without findings this tells calm from silence, so it knows no filter but the time. Sums are of
-- five minutes, so the first ones may begin a little before the time range.
SELECT
  sum(Spans) AS spans,
  uniq(ServiceName) AS services,
  uniqIf(Agent, OperationName != '') AS agents,
  if(spans = 0, NULL, max(LastSeen)::DateTime64(9)) AS `last span`
FROM agent_activity
WHERE Time >= toStartOfFiveMinutes($__fromTime) AND Time <= $__toTime
SETTINGS $__adHocFilters('findings')
