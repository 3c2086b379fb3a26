  -- What follows from the number of a session (UInt64) and the step in it (UInt8; hashes depend on the type), so that findings and
  -- cases name spans that are there.
  sipHash64(session) AS h,
  sipHash64(session, step) AS r,
  sipHash64(session, 'agent') % 10007 / 10007 AS u_agent,
  (r % 9973) / 9973 AS u,
  intDiv(session, {perDay:UInt64}) AS window,
  toUInt32(length({agents:Array(String)}) * u_agent * u_agent) AS drawn,
  -- The agent with the number 30 has been silent for the last tenth of the time.
  if(drawn = 30 AND window * 10 >= {days:UInt64} * 9, 29, drawn) AS a,
  {agents:Array(String)}[a + 1] AS agent,
  multiIf(step = 0, 'invoke_agent', step % 2 = 1, 'chat', step = 18, '', 'execute_tool') AS operation,
  operation = 'execute_tool' AS is_tool,
  operation = 'chat' AS is_chat,
  is_tool AND step % 6 = 0 AS is_mcp,
  if(operation = '', concat('shop-', toString(session % 5)), concat('service-', toString(a % 12))) AS service,
  -- A tool that nobody knew before the last day.
  if(window + 1 = {days:UInt64} AND r % 500 = 0, 'tools.fresh',
    {tools:Array(String)}[(a * 7 + toUInt32(30 * u * u)) % length({tools:Array(String)}) + 1]) AS tool,
  lower(hex(sipHash128(session, intDiv(step, 10)))) AS trace,
  lower(hex(r)) AS span,
  if(h % 10 = 0, '', concat('conversation-', lower(hex(h)))) AS conversation,
  if(h % 10 < 3, '', concat('user-', toString(h % 2003))) AS user,
  fromUnixTimestamp64Nano(toInt64(
    ({start:UInt64} + window * 86400 + h % 86400 + step * (1 + h % 7)) * 1000000000 + r % 1000000000)) AS at
