-- Findings per interval: one series a level, and all of the time range before, moved to this one. Intervals
-- without one are zero, so that the line goes down between.
WITH text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  $__timeInterval(Moment) AS time,
  countIf(Level = 'critical' AND Now) AS critical,
  countIf(Level = 'high' AND Now) AS high,
  countIf(Level = 'medium' AND Now) AS medium,
  countIf(Level = 'low' AND Now) AS low,
  countIf(Level = 'informational' AND Now) AS informational,
  countIf(NOT Now) AS `all, time range before`
FROM (
  SELECT
    Level,
    Timestamp >= $__fromTime_ms AS Now,
    if(Now, Timestamp, Timestamp + toIntervalSecond(dateDiff('second', $__fromTime, $__toTime))) AS Moment
  FROM findings FINAL
  WHERE Timestamp >= $__fromTime_ms - toIntervalSecond(dateDiff('second', $__fromTime, $__toTime))
    AND Timestamp <= $__toTime_ms
    AND $__conditionalAll(clean(if(AgentName = '', ServiceName, AgentName)) = decodeURLComponent('${agent:percentencode}'), $agent)
)
GROUP BY time
ORDER BY time WITH FILL STEP toIntervalSecond($__interval_s)
SETTINGS $__adHocFilters('findings')
