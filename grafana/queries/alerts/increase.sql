-- By how much a counter grew within some minutes, for each collector and value of a label. It begins at zero with each start of a collector; of
-- a start before that time only what came since then counts. The minutes include half an hour for points that wait for ClickHouse.
SELECT collector, {{label}}, toFloat64(sum(grown)) AS value
FROM (
  SELECT
    ResourceAttributes['service.instance.id'] AS collector,
    Attributes['{{label}}'] AS {{label}},
    max(Value) - if(StartTimeUnix > now() - INTERVAL {{minutes}} MINUTE, 0, min(Value)) AS grown
  FROM otel_metrics_sum
  WHERE ServiceName = 'spanwarden-collector' AND MetricName = '{{metric}}'
    AND TimeUnix > now() - INTERVAL {{minutes}} MINUTE
  GROUP BY collector, Attributes, StartTimeUnix
)
GROUP BY collector, {{label}}
