-- Whether anything is watched at all. Without findings this tells calm from silence, so it knows no filter but the time.
SELECT
  count() AS spans,
  uniq(ServiceName) AS services,
  uniqIf(AgentName, AgentName != '') AS agents,
  if(count() = 0, NULL, max(Timestamp)) AS `last span`
FROM otel_traces
WHERE $__timeFilter_ms(Timestamp)
SETTINGS $__adHocFilters('findings')
