-- How long something took, by the collector's histogram `metric`, which the including query names as the first of its WITH.
-- Buckets are cumulative over time; of each series and interval the newest point counts, less that of the interval before, or all of it after
-- a start, that of the collector too. Within a bucket values are taken to lie evenly; what is above the last bound shows as that bound.
  newest AS (
    SELECT $__timeInterval(TimeUnix) AS time, MetricName, Attributes, ResourceAttributes['service.instance.id'] AS Instance,
      argMax((BucketCounts, ExplicitBounds, Count), TimeUnix) AS Point, max(StartTimeUnix) >= $__fromTime AS IsNew
    FROM otel_metrics_histogram
    WHERE ServiceName = 'spanwarden-collector'
      AND MetricName = metric
      AND TimeUnix >= $__fromTime - 600 AND TimeUnix <= $__toTime
      AND $__conditionalAll(ResourceAttributes['service.instance.id'] = decodeURLComponent('${collector:percentencode}'), $collector)
    GROUP BY time, MetricName, Attributes, Instance
  ),
  counted AS (
    SELECT time, Point.2 AS Bounds,
      lagInFrame(Point, 1, if(IsNew, (emptyArrayUInt64(), emptyArrayFloat64(), 0), Point)) OVER (
        PARTITION BY MetricName, Attributes, Instance ORDER BY time ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS Before,
      if(Point.3 >= Before.3 AND length(Point.1) = length(Before.1), arrayMap((now, was) -> toUInt64(now - least(was, now)), Point.1, Before.1), Point.1) AS Counts
    FROM newest
  ),
  (bounds, counts, share) -> arrayFirstIndex(upTo -> upTo >= share * arraySum(counts), arrayCumSum(counts)) AS bucket,
  (bounds, counts, share) -> if(
    bucket(bounds, counts, share) > length(bounds), bounds[-1],
    if(bucket(bounds, counts, share) = 1, 0, bounds[bucket(bounds, counts, share) - 1])
      + (bounds[bucket(bounds, counts, share)] - if(bucket(bounds, counts, share) = 1, 0, bounds[bucket(bounds, counts, share) - 1]))
      * (share * arraySum(counts) - arraySum(arraySlice(counts, 1, bucket(bounds, counts, share) - 1)))
      / greatest(counts[bucket(bounds, counts, share)], 1)) AS quantileOf
SELECT
  time,
  quantileOf(Bounds, Counts, 0.5) AS `half within`,
  quantileOf(Bounds, Counts, 0.95) AS `95 of 100 within`,
  quantileOf(Bounds, Counts, 0.99) AS `99 of 100 within`
FROM (SELECT time, any(Bounds) AS Bounds, sumForEach(Counts) AS Counts FROM counted WHERE time >= $__fromTime GROUP BY time)
WHERE arraySum(Counts) > 0
ORDER BY time
SETTINGS $__adHocFilters('otel_metrics_histogram')
