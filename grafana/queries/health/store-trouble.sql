-- Inserts that were tried again, rows that ClickHouse refused, and rows it lost and got again.
WITH
  ['spanwarden_store_retries_total', 'spanwarden_store_dead_letter_rows_total', 'spanwarden_store_restored_rows_total',
    'spanwarden_detect_errors_total'] AS names,
-- include health/increments
SELECT
  $__timeInterval(TimeUnix) AS time,
  sumIf(Up, MetricName = 'spanwarden_store_retries_total') AS `inserts tried again`,
  sumIf(Up, MetricName = 'spanwarden_store_restored_rows_total') AS `rows restored`,
  sumIf(Up, MetricName = 'spanwarden_store_dead_letter_rows_total') AS `rows refused`,
  sumIf(Up, MetricName = 'spanwarden_detect_errors_total') AS `batches without detection`
FROM increments
GROUP BY time
ORDER BY time
SETTINGS $__adHocFilters('otel_metrics_sum')
