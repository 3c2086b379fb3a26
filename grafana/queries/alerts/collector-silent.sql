-- Seconds since each collector of the last day wrote its own metrics. Nothing at all is no data, which alerts as well.
SELECT
  ResourceAttributes['service.instance.id'] AS collector,
  toFloat64(dateDiff('second', max(TimeUnix), now64(9))) AS value
FROM otel_metrics_gauge
WHERE ServiceName = 'spanwarden-collector' AND MetricName = 'spanwarden_spool_bytes' AND TimeUnix > now() - INTERVAL 1 DAY
GROUP BY collector
