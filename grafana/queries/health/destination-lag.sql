-- Age of the oldest event that a destination has not got, the most in each interval.
SELECT
  $__timeInterval(TimeUnix) AS time,
  leftUTF8(replaceRegexpAll(Attributes['destination'], '[\\p{Cc}\\p{Cf}]', ' '), 60) AS Destination,
  max(otel_metrics_gauge.Value) AS Value
FROM otel_metrics_gauge
WHERE ServiceName = 'spanwarden-collector'
  AND MetricName IN ('spanwarden_export_lag_seconds')
  AND TimeUnix >= $__fromTime AND TimeUnix <= $__toTime
  AND $__conditionalAll(ResourceAttributes['service.instance.id'] = decodeURLComponent('${collector:percentencode}'), $collector)
GROUP BY time, Destination
ORDER BY time
SETTINGS $__adHocFilters('otel_metrics_gauge')
