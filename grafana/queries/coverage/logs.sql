-- What agents tell in log records: events that no span tells beside them, as the record has no trace or the agent sends no span at all.
WITH text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean
SELECT
  told.Agent AS Agent,
  clean(told.Value) AS Event,
  told.Records AS Records,
  told.Alone / told.Records AS `Without a trace`,
  if(seen.Spans = 0, 'log records alone', 'spans, too') AS `Agent sends`,
  told.LastSeen AS `Last seen`,
  told.TraceId AS TraceId
FROM (
  SELECT Agent, Value, sum(Spans) AS Records, sumIf(Spans, Detail != '') AS Alone, max(LastSeen) AS LastSeen, argMaxMerge(LastTraceId) AS TraceId
  FROM agent_values
  WHERE Kind = 'log_event' AND Time >= toStartOfHour($__fromTime) AND Time <= $__toTime
    AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
  GROUP BY Agent, Value
) AS told
LEFT JOIN (
  SELECT Agent, sum(Spans) AS Spans FROM agent_activity
  WHERE OperationName != '' AND Time >= toStartOfHour($__fromTime) AND Time <= $__toTime GROUP BY Agent
) AS seen ON seen.Agent = told.Agent
ORDER BY `Agent sends`, Records DESC, Agent, Event
LIMIT 300
SETTINGS $__adHocFilters('agent_values')
