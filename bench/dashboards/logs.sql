-- Records of coding agents: of each session one decision and one prompt.
INSERT INTO otel_logs (Timestamp, TraceId, SpanId, SeverityText, SeverityNumber, ServiceName, Body, ResourceAttributes, ScopeName,
  LogAttributes, EventName)
WITH
  {first:UInt64} + intDiv(number, 2) AS session,
  toUInt8((number % 2) * 3 + 4) AS step,
{session},
  ['claude_code.tool_decision', 'claude_code.user_prompt'][number % 2 + 1] AS event
SELECT
  at,
  if(a % 2 = 0, '', trace),
  if(a % 2 = 0, '', span),
  'INFO',
  9,
  service,
  event,
  map('service.name', service),
  'com.anthropic.claude_code.events',
  mapFilter((key, value) -> value != '', map(
    'event.name', event,
    'session.id', conversation,
    'spanwarden.agent_event', event,
    'gen_ai.agent.name', agent,
    'gen_ai.conversation.id', conversation,
    'gen_ai.tool.name', if(is_tool, tool, ''),
    'spanwarden.decision', if(is_tool, if(r % 9 = 0, 'denied', 'approved'), ''),
    'spanwarden.decision_source', if(is_tool, ['config', 'user_temporary', 'user_permanent', 'hook'][r % 4 + 1], ''),
    'spanwarden.trace_id', trace,
    'spanwarden.span_id', span)),
  event
FROM numbers({sessions:UInt64} * 2)
