-- Gauges of collectors, a point a minute.
INSERT INTO otel_metrics_gauge (ResourceAttributes, ScopeName, ServiceName, MetricName, Attributes, StartTimeUnix, TimeUnix, Value, Flags)
WITH
  {firstMinute:UInt64} + intDiv(number, length({names:Array(String)})) AS minute,
  number % length({names:Array(String)}) + 1 AS series,
  {names:Array(String)}[series] AS name,
  {attributes:Array(Map(String, String))}[series] AS labels
SELECT
  map('service.name', 'spanwarden-collector', 'service.instance.id', {instances:Array(String)}[series], 'service.version', '0.1.0'),
  'spanwarden.collector',
  'spanwarden-collector',
  name,
  labels,
  fromUnixTimestamp64Milli(toInt64({start:UInt64}) * 1000),
  fromUnixTimestamp64Milli(toInt64({start:UInt64} + minute * 60) * 1000),
  multiIf(
    mapContains(labels, 'state'), labels['state'] = 'ok',
    endsWith(name, 'timestamp_seconds'), {start:UInt64} + minute * 60,
    floor(sipHash64(name, labels) % 500 * (1 + sin(minute / 230)))),
  0
FROM numbers({minutes:UInt64} * length({names:Array(String)}))
