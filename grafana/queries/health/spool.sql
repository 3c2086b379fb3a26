-- Bytes that wait for ClickHouse, the most in each interval, by collector.
SELECT
  $__timeInterval(TimeUnix) AS time,
  leftUTF8(replaceRegexpAll(ResourceAttributes['service.instance.id'], '[\\p{Cc}\\p{Cf}]', ' '), 60) AS Collector,
  max(otel_metrics_gauge.Value) AS Value
FROM otel_metrics_gauge
WHERE ServiceName = 'spanwarden-collector'
  AND MetricName IN ('spanwarden_spool_bytes')
  AND TimeUnix >= $__fromTime AND TimeUnix <= $__toTime
  AND $__conditionalAll(ResourceAttributes['service.instance.id'] = decodeURLComponent('${collector:percentencode}'), $collector)
GROUP BY time, Collector
ORDER BY time
SETTINGS $__adHocFilters('otel_metrics_gauge')
