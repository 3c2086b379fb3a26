-- What was refused, cut or lost in the time range, by what it was; nothing of it is silent. A row for each counter that went up.
WITH
  map(
    'spanwarden_receive_rejected_spans_total', 'spans refused, told to their sender',
    'spanwarden_receive_rejected_log_records_total', 'log records refused, told to their sender',
    'spanwarden_receive_rejected_data_points_total', 'data points refused, told to their sender',
    'spanwarden_receive_refused_requests_total', 'requests put off; senders try again',
    'spanwarden_receive_refused_connections_total', 'connections closed, too many for the memory',
    'spanwarden_decode_malformed_requests_total', 'requests that could not be decoded',
    'spanwarden_decode_dropped_records_total', 'attributes, events and links over a limit',
    'spanwarden_store_overflowed_attributes_total', 'attributes whose keys were too many',
    'spanwarden_detect_errors_total', 'batches that no rule saw; their spans are stored',
    'spanwarden_store_dead_letter_rows_total', 'rows that ClickHouse refused, set aside',
    'spanwarden_store_restored_rows_total', 'rows sent again, because ClickHouse had lost them',
    'spanwarden_export_refused_events_total', 'events that a receiver refused for good',
    'spanwarden_export_lost_records_total', 'records gone before a destination read them',
    'spanwarden_export_dead_letters_overflowed_total', 'dead letters without room in their file'
  ) AS meanings,
  mapKeys(meanings) AS names,
-- include health/increments
SELECT
  meanings[MetricName] AS What,
  leftUTF8(replaceRegexpAll(arrayStringConcat(mapValues(Attributes), ', '), '[\\p{Cc}\\p{Cf}]', ' '), 200) AS Which,
  sum(Up) AS Count,
  uniq(Instance) AS Collectors,
  maxIf(TimeUnix, Up > 0) AS `Last seen`,
  MetricName AS Metric
FROM increments
GROUP BY MetricName, Attributes
HAVING Count > 0
ORDER BY Count DESC, Metric, Which
LIMIT 200
SETTINGS $__adHocFilters('otel_metrics_sum')
