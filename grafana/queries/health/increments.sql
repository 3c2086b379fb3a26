-- What counters of collectors went up by in the time range: `increments`, from which whoever includes it goes on after it has said `names`.
-- Counters are cumulative and begin anew at a start, of which the new value is what was counted since. A series is a metric, its labels and a
-- collector. One that was not there in the minutes before the time range began at nothing; of one that was, the first point is left out.
  increments AS (
    SELECT MetricName, Attributes, Instance, TimeUnix,
      if(Value >= Before, Value - Before, Value) AS Up
    FROM (
      SELECT MetricName, Attributes, ResourceAttributes['service.instance.id'] AS Instance, TimeUnix, Value,
        lagInFrame(Value, 1, if(TimeUnix > $__fromTime - 200, 0, Value)) OVER (
          PARTITION BY MetricName, Attributes, Instance ORDER BY TimeUnix ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS Before
      FROM otel_metrics_sum
      WHERE ServiceName = 'spanwarden-collector' AND MetricName IN (names)
        AND TimeUnix >= $__fromTime - 600 AND TimeUnix <= $__toTime
        AND $__conditionalAll(ResourceAttributes['service.instance.id'] = decodeURLComponent('${collector:percentencode}'), $collector)
    )
    WHERE TimeUnix >= $__fromTime
  )
