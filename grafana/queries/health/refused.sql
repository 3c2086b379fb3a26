-- Requests that were put off, by reason: senders try again.
WITH
  ['spanwarden_receive_refused_requests_total'] AS names,
-- include health/increments
SELECT
  $__timeInterval(TimeUnix) AS time,
  leftUTF8(replaceRegexpAll(Attributes['reason'], '[\\p{Cc}\\p{Cf}]', ' '), 40) AS reason,
  sum(Up) AS Value
FROM increments
GROUP BY time, reason
ORDER BY time
SETTINGS $__adHocFilters('otel_metrics_sum')
