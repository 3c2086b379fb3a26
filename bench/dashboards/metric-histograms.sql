-- Histograms of collectors, a point a minute, cumulative over ten buckets.
INSERT INTO otel_metrics_histogram (ResourceAttributes, ScopeName, ServiceName, MetricName, Attributes, StartTimeUnix, TimeUnix, Count,
  Sum, BucketCounts, ExplicitBounds, Flags, Min, Max, AggregationTemporality)
WITH
  {firstMinute:UInt64} + intDiv(number, length({names:Array(String)})) AS minute,
  number % length({names:Array(String)}) + 1 AS series,
  {names:Array(String)}[series] AS name,
  [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1., 5., 30.] AS bounds,
  arrayMap(i -> toUInt64(minute * [9, 40, 80, 60, 30, 12, 5, 2, 1, 0, 0][i + 1]), range(11)) AS counts
SELECT
  map('service.name', 'spanwarden-collector', 'service.instance.id', {instances:Array(String)}[series], 'service.version', '0.1.0'),
  'spanwarden.collector',
  'spanwarden-collector',
  name,
  {attributes:Array(Map(String, String))}[series],
  fromUnixTimestamp64Milli(toInt64({start:UInt64}) * 1000),
  fromUnixTimestamp64Milli(toInt64({start:UInt64} + minute * 60) * 1000),
  arraySum(counts),
  minute * 12.5,
  counts,
  bounds,
  0,
  0,
  0,
  2
FROM numbers({minutes:UInt64} * length({names:Array(String)}))
