-- The trace that is named; of a session without one, the trace with the worst finding, else the newest.
-- include session/spans
,
  if(one_trace != '', one_trace, (
    SELECT argMax(TraceId, (Worst, Seen))
    FROM (
      SELECT TraceId, 0 AS Worst, max(End) AS Seen
      FROM otel_traces_trace_id_ts
      WHERE TraceId IN (SELECT TraceId FROM trace_ids)
      GROUP BY TraceId
      UNION ALL
      SELECT TraceId, max(Severity), toDateTime(max(Timestamp))
      FROM findings FINAL
      WHERE TraceId IN (SELECT TraceId FROM trace_ids)
      GROUP BY TraceId
    )
  )) AS trace_id,
  (SELECT min(Start) FROM otel_traces_trace_id_ts WHERE TraceId = trace_id) AS trace_start,
  (SELECT max(End) + 1 FROM otel_traces_trace_id_ts WHERE TraceId = trace_id) AS trace_end
-- include shared/trace
SETTINGS $__adHocFilters('otel_traces')
