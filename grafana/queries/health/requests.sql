-- Requests by how they were answered: HTTP status or gRPC code.
WITH
  ['spanwarden_receive_requests_total'] AS names,
-- include health/increments
SELECT
  $__timeInterval(TimeUnix) AS time,
  leftUTF8(replaceRegexpAll(Attributes['code'], '[\\p{Cc}\\p{Cf}]', ' '), 40) AS code,
  sum(Up) AS Value
FROM increments
GROUP BY time, code
ORDER BY time
SETTINGS $__adHocFilters('otel_metrics_sum')
