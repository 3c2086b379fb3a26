-- Days until the certificate of each collector expires.
SELECT
  ResourceAttributes['service.instance.id'] AS collector,
  toFloat64((argMax(Value, TimeUnix) - toUnixTimestamp(now())) / 86400) AS value
FROM otel_metrics_gauge
WHERE ServiceName = 'spanwarden-collector' AND MetricName = 'spanwarden_receive_tls_expiry_timestamp_seconds'
  AND TimeUnix > now() - INTERVAL 30 MINUTE
GROUP BY collector
