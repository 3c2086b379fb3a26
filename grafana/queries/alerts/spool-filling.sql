-- How full the spool of each collector is, 0 to 1; 1 also while it has given up its reserve of disk space.
WITH argMaxIf(Value, TimeUnix, MetricName = 'spanwarden_spool_bytes_max') AS room
SELECT
  ResourceAttributes['service.instance.id'] AS collector,
  toFloat64(greatest(
    if(room = 0, 0, argMaxIf(Value, TimeUnix, MetricName = 'spanwarden_spool_bytes') / room),
    argMaxIf(Value, TimeUnix, MetricName = 'spanwarden_spool_reserve_released'))) AS value
FROM otel_metrics_gauge
WHERE ServiceName = 'spanwarden-collector'
  AND MetricName IN ('spanwarden_spool_bytes', 'spanwarden_spool_bytes_max', 'spanwarden_spool_reserve_released')
  AND TimeUnix > now() - INTERVAL 30 MINUTE
GROUP BY collector
