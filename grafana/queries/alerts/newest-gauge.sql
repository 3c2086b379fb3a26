-- The newest value of a gauge of the last half hour, for each collector and value of a label. Half an hour, because metrics wait with the
-- rows before them while ClickHouse is behind.
SELECT
  ResourceAttributes['service.instance.id'] AS collector,
  Attributes['{{label}}'] AS {{label}},
  toFloat64(argMax(Value, TimeUnix)) AS value
FROM otel_metrics_gauge
WHERE ServiceName = 'spanwarden-collector' AND MetricName = '{{metric}}' AND TimeUnix > now() - INTERVAL 30 MINUTE
GROUP BY collector, {{label}}
