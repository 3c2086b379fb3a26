-- Each destination of each collector: how it stands in the last quarter of an hour of the time range, those in trouble first.
SELECT
  leftUTF8(replaceRegexpAll(Destination, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS Destination,
  leftUTF8(replaceRegexpAll(Instance, '[\\p{Cc}\\p{Cf}]', ' '), 60) AS Collector,
  if(State = '', 'unknown', State) AS State,
  last['spanwarden_export_waiting_events'] AS Waiting,
  last['spanwarden_export_lag_seconds'] AS `Oldest waits`,
  if(last['spanwarden_export_behind'] > 0, 'yes', 'no') AS `Reads behind`,
  last['spanwarden_export_dead_letters'] AS `Dead letters`,
  if(last['spanwarden_export_last_success_timestamp_seconds'] = 0, NULL,
    fromUnixTimestamp64Milli(toInt64(last['spanwarden_export_last_success_timestamp_seconds'] * 1000))) AS `Last delivered`
FROM (
  SELECT Instance, Destination, anyIf(Label, MetricName = 'spanwarden_export_state' AND Newest = 1) AS State,
    CAST((groupArrayIf(MetricName, Label = ''), groupArrayIf(Newest, Label = '')), 'Map(String, Float64)') AS last
  FROM (
    SELECT ResourceAttributes['service.instance.id'] AS Instance, Attributes['destination'] AS Destination, Attributes['state'] AS Label,
      MetricName, argMax(Value, TimeUnix) AS Newest
    FROM otel_metrics_gauge
    WHERE ServiceName = 'spanwarden-collector'
      AND MetricName IN ('spanwarden_export_waiting_events', 'spanwarden_export_lag_seconds', 'spanwarden_export_behind',
        'spanwarden_export_dead_letters', 'spanwarden_export_last_success_timestamp_seconds', 'spanwarden_export_state')
      AND TimeUnix >= $__toTime - 900 AND TimeUnix <= $__toTime
      AND $__conditionalAll(ResourceAttributes['service.instance.id'] = decodeURLComponent('${collector:percentencode}'), $collector)
    GROUP BY Instance, Destination, Label, MetricName
  )
  GROUP BY Instance, Destination
)
ORDER BY State = 'ok', `Oldest waits` DESC, Destination, Collector
LIMIT 200
SETTINGS $__adHocFilters('otel_metrics_gauge')
