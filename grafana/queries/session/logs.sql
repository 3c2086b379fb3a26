-- Log lines of the session's traces.
-- include session/spans
SELECT
  Timestamp AS timestamp,
  leftUTF8(replaceRegexpAll(Body, '[\\p{Cc}\\p{Cf}]', ' '), 2000) AS body,
  SeverityText AS level,
  TraceId AS traceID,
  SpanId AS spanID,
  clean(ServiceName) AS service,
  clean(EventName) AS event
FROM otel_logs
WHERE TraceId IN (SELECT TraceId FROM trace_ids)
  AND toStartOfFiveMinutes(otel_logs.Timestamp) >= (
    SELECT toStartOfFiveMinutes(min(Start)) - 300 FROM otel_traces_trace_id_ts WHERE TraceId IN (SELECT TraceId FROM trace_ids))
  AND toStartOfFiveMinutes(otel_logs.Timestamp) <= (
    SELECT max(End) + 300 FROM otel_traces_trace_id_ts WHERE TraceId IN (SELECT TraceId FROM trace_ids))
ORDER BY timestamp
LIMIT 500
SETTINGS $__adHocFilters('otel_logs')
