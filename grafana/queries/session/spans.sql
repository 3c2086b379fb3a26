-- What every query of the board begins with: the traces of the session, or the one trace where no session is named, and their spans. A
-- span of a session has its id as the stitched one, as its conversation or as its trace; each is looked for by itself, because then
-- the index of that column tells where. The narrow table bounds the time.
WITH
  text -> leftUTF8(replaceRegexpAll(text, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS clean,
  decodeURLComponent('${session:percentencode}') AS session,
  decodeURLComponent('${trace_id:percentencode}') AS one_trace,
  trace_ids AS (
    SELECT TraceId FROM otel_traces WHERE session != '' AND StitchedSession = session
    UNION DISTINCT
    SELECT TraceId FROM otel_traces WHERE session != '' AND ConversationId = session
    UNION DISTINCT
    SELECT if(session = '', one_trace, session)
  ),
  spans AS (
    SELECT *, AgentName, ConversationId, UserId, ToolName, OperationName, RequestModel, SessionId, SessionSource, AttributeTypes, Facts
    FROM otel_traces
    WHERE TraceId IN (SELECT TraceId FROM trace_ids)
      AND Timestamp >= (SELECT min(Start) FROM otel_traces_trace_id_ts WHERE TraceId IN (SELECT TraceId FROM trace_ids))
      AND Timestamp <= (SELECT max(End) + 1 FROM otel_traces_trace_id_ts WHERE TraceId IN (SELECT TraceId FROM trace_ids))
      AND (session = '' OR SessionId IN (session, TraceId))
  )
