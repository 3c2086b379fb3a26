-- Counters of collectors, a point a minute, slower at night; they begin again after three fifths of the time.
INSERT INTO otel_metrics_sum (ResourceAttributes, ScopeName, ServiceName, MetricName, Attributes, StartTimeUnix, TimeUnix, Value, Flags,
  AggregationTemporality, IsMonotonic)
WITH
  {firstMinute:UInt64} + intDiv(number, length({names:Array(String)})) AS minute,
  number % length({names:Array(String)}) + 1 AS series,
  {names:Array(String)}[series] AS name,
  {attributes:Array(Map(String, String))}[series] AS labels,
  {instances:Array(String)}[series] AS instance,
  intDiv({days:UInt64} * 1440 * 3, 5) AS restart,
  if(minute >= restart, minute - restart, minute) AS age
SELECT
  map('service.name', 'spanwarden-collector', 'service.instance.id', instance, 'service.version', '0.1.0'),
  'spanwarden.collector',
  'spanwarden-collector',
  name,
  labels,
  fromUnixTimestamp64Milli(toInt64({start:UInt64} + if(minute >= restart, restart, 0) * 60) * 1000),
  fromUnixTimestamp64Milli(toInt64({start:UInt64} + minute * 60) * 1000),
  floor(sipHash64(name, labels) % 500 * (age + 200 * (1 + sin(age / 230)))),
  0,
  2,
  true
FROM numbers({minutes:UInt64} * length({names:Array(String)}))
