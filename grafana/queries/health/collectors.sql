-- The newest figures of each collector in the last quarter of an hour of the time range, those in trouble first.
SELECT
  leftUTF8(replaceRegexpAll(Instance, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS Collector,
  multiIf(
    last['spanwarden_spool_reserve_released'] > 0, 'takes nothing: disk is short',
    last['spanwarden_spool_oldest_age_seconds'] > 300, 'ClickHouse is behind',
    last['spanwarden_rules_stale'] > 0, 'runs older rules',
    last['spanwarden_memory_limit_bytes'] > 0
      AND last['spanwarden_memory_resident_bytes'] > 0.85 * last['spanwarden_memory_limit_bytes'], 'memory is short',
    'fine') AS State,
  leftUTF8(replaceRegexpAll(Version, '[\\p{Cc}\\p{Cf}]', ' '), 50) AS Version,
  At AS `Last figures`,
  if(last['spanwarden_receive_last_span_timestamp_seconds'] = 0, NULL,
    fromUnixTimestamp64Milli(toInt64(last['spanwarden_receive_last_span_timestamp_seconds'] * 1000))) AS `Last span`,
  last['spanwarden_spool_bytes'] AS `Waits for ClickHouse`,
  last['spanwarden_spool_oldest_age_seconds'] AS `Oldest waits`,
  last['spanwarden_spool_set_aside_bytes'] AS `Set aside`,
  last['spanwarden_memory_resident_bytes'] / nullIf(last['spanwarden_memory_limit_bytes'], 0) AS `Of its memory`,
  last['spanwarden_rules_active'] AS Rules,
  last['spanwarden_rules_disabled'] AS Disabled
FROM (
  SELECT Instance, any(Version) AS Version, max(At) AS At, CAST((groupArray(MetricName), groupArray(Newest)), 'Map(String, Float64)') AS last
  FROM (
    SELECT ResourceAttributes['service.instance.id'] AS Instance, any(ResourceAttributes['service.version']) AS Version, MetricName,
      max(TimeUnix) AS At, argMax(Value, TimeUnix) AS Newest
    FROM otel_metrics_gauge
    WHERE ServiceName = 'spanwarden-collector'
      AND MetricName IN ('spanwarden_spool_bytes', 'spanwarden_spool_oldest_age_seconds', 'spanwarden_spool_reserve_released',
        'spanwarden_spool_set_aside_bytes', 'spanwarden_memory_resident_bytes', 'spanwarden_memory_limit_bytes', 'spanwarden_rules_active',
        'spanwarden_rules_disabled', 'spanwarden_rules_stale', 'spanwarden_receive_last_span_timestamp_seconds')
      AND TimeUnix >= $__toTime - 900 AND TimeUnix <= $__toTime
      AND $__conditionalAll(ResourceAttributes['service.instance.id'] = decodeURLComponent('${collector:percentencode}'), $collector)
    GROUP BY Instance, MetricName
  )
  GROUP BY Instance
)
ORDER BY State = 'fine', `Oldest waits` DESC, Collector
LIMIT 200
SETTINGS $__adHocFilters('otel_metrics_gauge')
