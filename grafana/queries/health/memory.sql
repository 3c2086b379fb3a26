-- Memory of the fullest collector, and its limit.
SELECT
  $__timeInterval(TimeUnix) AS time,
  nullIf(maxIf(Value, MetricName = 'spanwarden_memory_resident_bytes'), 0) AS resident,
  nullIf(maxIf(Value, MetricName = 'spanwarden_memory_heap_bytes'), 0) AS heap,
  nullIf(maxIf(Value, MetricName = 'spanwarden_memory_buffer_bytes'), 0) AS buffers,
  nullIf(maxIf(Value, MetricName = 'spanwarden_receive_held_bytes'), 0) AS `requests under way`,
  nullIf(minIf(Value, MetricName = 'spanwarden_memory_limit_bytes'), 0) AS limit
FROM otel_metrics_gauge
WHERE ServiceName = 'spanwarden-collector'
  AND MetricName IN ('spanwarden_memory_resident_bytes', 'spanwarden_memory_heap_bytes', 'spanwarden_memory_buffer_bytes',
    'spanwarden_receive_held_bytes', 'spanwarden_memory_limit_bytes')
  AND TimeUnix >= $__fromTime AND TimeUnix <= $__toTime
  AND $__conditionalAll(ResourceAttributes['service.instance.id'] = decodeURLComponent('${collector:percentencode}'), $collector)
GROUP BY time
ORDER BY time
SETTINGS $__adHocFilters('otel_metrics_gauge')
