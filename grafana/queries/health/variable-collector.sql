-- Collectors that wrote their metrics in the time range, by the id of their spool.
SELECT leftUTF8(replaceRegexpAll(Instance, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS Collector
FROM (
  SELECT ResourceAttributes['service.instance.id'] AS Instance
  FROM otel_metrics_gauge
  WHERE ServiceName = 'spanwarden-collector' AND MetricName = 'spanwarden_spool_bytes'
    AND TimeUnix >= $__fromTime AND TimeUnix <= $__toTime
  GROUP BY Instance
)
ORDER BY Collector
LIMIT 1000
