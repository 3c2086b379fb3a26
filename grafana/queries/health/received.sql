-- What was taken and refused, a second.
WITH
  ['spanwarden_receive_accepted_spans_total', 'spanwarden_receive_rejected_spans_total', 'spanwarden_receive_accepted_log_records_total',
    'spanwarden_receive_accepted_data_points_total'] AS names,
-- include health/increments
SELECT
  $__timeInterval(TimeUnix) AS time,
  sumIf(Up, MetricName = 'spanwarden_receive_accepted_spans_total') / $__interval_s AS spans,
  sumIf(Up, MetricName = 'spanwarden_receive_accepted_log_records_total') / $__interval_s AS `log records`,
  sumIf(Up, MetricName = 'spanwarden_receive_accepted_data_points_total') / $__interval_s AS `data points`,
  sumIf(Up, MetricName = 'spanwarden_receive_rejected_spans_total') / $__interval_s AS `spans refused`
FROM increments
GROUP BY time
ORDER BY time
SETTINGS $__adHocFilters('otel_metrics_sum')
