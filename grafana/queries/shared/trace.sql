-- One trace for Grafana's trace panel, which asks for exactly these column names: times in milliseconds, attributes as
-- key and value, statusCode 2 for an error. No LIMIT, it would cut the tree. Whoever includes it says which trace, and from when to
-- when.
SELECT
  TraceId AS traceID,
  SpanId AS spanID,
  ParentSpanId AS parentSpanID,
  ServiceName AS serviceName,
  SpanName AS operationName,
  multiply(toUnixTimestamp64Nano(Timestamp), 0.000001) AS startTime,
  multiply(Duration, 0.000001) AS duration,
  arrayMap(key -> map('key', key, 'value', SpanAttributes[key]), mapKeys(SpanAttributes)) AS tags,
  arrayMap(key -> map('key', key, 'value', ResourceAttributes[key]), mapKeys(ResourceAttributes)) AS serviceTags,
  if(StatusCode IN ('Error', 'STATUS_CODE_ERROR'), 2, 0) AS statusCode,
  arrayMap(
    (name, timestamp, attributes) -> tuple(
      name,
      toString(toUnixTimestamp64Milli(timestamp)),
      arrayMap(key -> map('key', key, 'value', attributes[key]), mapKeys(attributes))
    )::Tuple(name String, timestamp String, fields Array(Map(String, String))),
    Events.Name, Events.Timestamp, Events.Attributes) AS logs,
  arrayMap(
    (trace, span, attributes) -> tuple(
      trace,
      span,
      arrayMap(key -> map('key', key, 'value', attributes[key]), mapKeys(attributes))
    )::Tuple(traceID String, spanID String, tags Array(Map(String, String))),
    Links.TraceId, Links.SpanId, Links.Attributes) AS references,
  SpanKind AS kind,
  StatusMessage AS statusMessage,
  ScopeName AS instrumentationLibraryName,
  ScopeVersion AS instrumentationLibraryVersion,
  TraceState AS traceState
FROM otel_traces
WHERE TraceId = trace_id
  AND Timestamp >= trace_start
  AND Timestamp <= trace_end
ORDER BY Timestamp, SpanId
