-- What detection came too late for or let go, per interval. These are counts since the start, told as gauges; a smaller one is a new start.
WITH
  map(
    'spanwarden_correlate_late_events', 'late events',
    'spanwarden_correlate_hurried_events', 'hurried events',
    'spanwarden_correlate_evicted_groups', 'groups let go',
    'spanwarden_correlate_dropped_events', 'events let go',
    'spanwarden_sessions_evicted', 'sessions let go',
    'spanwarden_cases_evicted', 'cases let go',
    'spanwarden_repeats_forgotten_spans', 'repeats let go',
    'spanwarden_join_hurried', 'log records hurried'
  ) AS meanings
SELECT $__timeInterval(TimeUnix) AS time, meanings[MetricName] AS What, sum(Up) AS Value
FROM (
  SELECT MetricName, TimeUnix, if(Value >= Before, Value - Before, Value) AS Up
  FROM (
    SELECT MetricName, TimeUnix, Value,
      lagInFrame(Value, 1, if(TimeUnix > $__fromTime - 200, 0, Value)) OVER (
        PARTITION BY MetricName, ResourceAttributes['service.instance.id'] ORDER BY TimeUnix ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS Before
    FROM otel_metrics_gauge
    WHERE ServiceName = 'spanwarden-collector' AND MetricName IN (mapKeys(meanings))
      AND TimeUnix >= $__fromTime - 600 AND TimeUnix <= $__toTime
      AND $__conditionalAll(ResourceAttributes['service.instance.id'] = decodeURLComponent('${collector:percentencode}'), $collector)
  )
  WHERE TimeUnix >= $__fromTime
)
GROUP BY time, MetricName
HAVING Value > 0
ORDER BY time, What
SETTINGS $__adHocFilters('otel_metrics_gauge')
