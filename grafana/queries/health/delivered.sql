-- What became of events in the time range, by destination.
WITH
  ['spanwarden_export_delivered_events_total', 'spanwarden_export_filtered_events_total', 'spanwarden_export_refused_events_total',
    'spanwarden_export_retries_total', 'spanwarden_export_lost_records_total'] AS names,
-- include health/increments
SELECT
  leftUTF8(replaceRegexpAll(Attributes['destination'], '[\\p{Cc}\\p{Cf}]', ' '), 200) AS Destination,
  sumIf(Up, MetricName = 'spanwarden_export_delivered_events_total') AS Delivered,
  sumIf(Up, MetricName = 'spanwarden_export_filtered_events_total') AS `Let be`,
  sumIf(Up, MetricName = 'spanwarden_export_retries_total') AS Retries,
  sumIf(Up, MetricName = 'spanwarden_export_refused_events_total') AS Refused,
  sumIf(Up, MetricName = 'spanwarden_export_lost_records_total') AS Lost,
  if(Delivered = 0, NULL, maxIf(TimeUnix, Up > 0 AND MetricName = 'spanwarden_export_delivered_events_total')) AS `Last delivered`
FROM increments
GROUP BY Destination
ORDER BY Lost DESC, Refused DESC, Retries DESC, Destination
LIMIT 200
SETTINGS $__adHocFilters('otel_metrics_sum')
