-- The trace that is named. The narrow table bounds the days to read.
WITH
  decodeURLComponent('${trace_id:percentencode}') AS trace_id,
  (SELECT min(Start) FROM otel_traces_trace_id_ts WHERE TraceId = trace_id) AS trace_start,
  (SELECT max(End) + 1 FROM otel_traces_trace_id_ts WHERE TraceId = trace_id) AS trace_end
-- include shared/trace
SETTINGS $__adHocFilters('findings')
