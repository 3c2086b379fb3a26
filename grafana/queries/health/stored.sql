-- Rows that came to ClickHouse, by table.
WITH
  ['spanwarden_store_rows_total'] AS names,
-- include health/increments
SELECT
  $__timeInterval(TimeUnix) AS time,
  leftUTF8(replaceRegexpAll(Attributes['table'], '[\\p{Cc}\\p{Cf}]', ' '), 60) AS Stored,
  sum(Up) AS Value
FROM increments
GROUP BY time, Stored
ORDER BY time
SETTINGS $__adHocFilters('otel_metrics_sum')
