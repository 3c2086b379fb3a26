-- Denied calls after which the same trace called another tool, or the same one with other arguments, within ten minutes. Looked at are the ten
-- newest traces out of those that were the last with a denied call of their agent, tool and hour, as far as a span told it. Only these
-- traces are read, once. A decision may be a span of its own below that of the call, which has the name of the tool.
WITH
  text -> replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' ') AS clean,
  trace_ids AS (
    SELECT TraceId FROM (
      SELECT argMaxMerge(LastTraceId) AS TraceId, max(LastSeen) AS At
      FROM agent_values
      WHERE Kind = 'decision' AND Value = 'denied' AND Time >= toStartOfHour($__fromTime) AND Time <= $__toTime
        AND $__conditionalAll(Agent = decodeURLComponent('${agent:percentencode}'), $agent)
      GROUP BY Agent, ToolName, Time
    ) WHERE TraceId != '' ORDER BY At DESC LIMIT 10
  ),
  (SELECT (min(Start), max(End) + 1) FROM otel_traces_trace_id_ts WHERE TraceId IN (SELECT TraceId FROM trace_ids)) AS bounds
SELECT
  denied.1 AS Time,
  leftUTF8(clean(denied.4), 200) AS Agent,
  leftUTF8(clean(wanted.5), 200) AS `Denied tool`,
  clean(wanted.6) AS `Denied arguments`,
  if(denied.8 = '', 'not told', leftUTF8(clean(denied.8), 200)) AS `Denied by`,
  leftUTF8(clean(next.5), 200) AS `Then called`,
  clean(next.6) AS `With arguments`,
  dateDiff('second', denied.1, next.1) AS `Seconds later`,
  TraceId
FROM (
  SELECT
    TraceId,
    Calls,
    arrayJoin(arrayFilter(call -> call.7, Calls)) AS denied,
    if(denied.5 != '', denied, arrayFirst(call -> call.2 = denied.3, Calls)) AS wanted,
    arrayFirst(
      call -> NOT call.7 AND call.5 != '' AND call.1 > denied.1 AND call.1 <= denied.1 + toIntervalMinute(10)
        AND (call.5, call.6) != (wanted.5, wanted.6),
      Calls) AS next
  FROM (
    SELECT TraceId, arraySort(groupArray(1000)((
      Timestamp, SpanId, ParentSpanId, if(AgentName = '', toString(ServiceName), toString(AgentName)), toString(ToolName),
      leftUTF8(SpanAttributes['gen_ai.tool.call.arguments'], 500), SpanAttributes['spanwarden.decision'] = 'denied',
      SpanAttributes['spanwarden.decision_source']))) AS Calls
    FROM otel_traces
    WHERE TraceId IN (SELECT TraceId FROM trace_ids) AND Timestamp >= bounds.1 AND Timestamp <= bounds.2
      AND (ToolName != '' OR SpanAttributes['spanwarden.decision'] != '')
    GROUP BY TraceId
  )
)
WHERE next.2 != ''
ORDER BY Time DESC, denied.2
LIMIT 50
SETTINGS $__adHocFilters('agent_values')
