-- 1 for destinations that are misconfigured or stopped, by the newest state of the last half hour.
SELECT collector, destination, toFloat64(max(is)) AS value
FROM (
  SELECT
    ResourceAttributes['service.instance.id'] AS collector,
    Attributes['destination'] AS destination,
    argMaxIf(Value, TimeUnix, Attributes['state'] IN ('misconfigured', 'stopped')) AS is
  FROM otel_metrics_gauge
  WHERE ServiceName = 'spanwarden-collector' AND MetricName = 'spanwarden_export_state' AND TimeUnix > now() - INTERVAL 30 MINUTE
  GROUP BY collector, destination, Attributes['state']
)
GROUP BY collector, destination
