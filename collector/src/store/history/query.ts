/** Which spans: by end time in nanoseconds, from inclusive, to exclusive. */
export interface HistoryRange {
  readonly fromNanos: bigint;
  readonly toNanos: bigint;
  /** The name of the agent, or of its service. */
  readonly agent?: string;
  readonly service?: string;
  readonly traceId?: string;
  /** Only spans that findings of these rules are about. */
  readonly findingsOf?: readonly string[];
}

export interface HistoryQuery {
  readonly query: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** A span's end: its event time. Int64 nanoseconds, where an end past 2262 wraps as the sum does. */
export const endExpression = '(toUnixTimestamp64Nano(Timestamp) + toInt64(Duration))';

/** The spans of a range in event order, in the columns that `HistoryDecoder` reads. */
export function spansQuery(range: HistoryRange, durationMaxNanos: bigint): HistoryQuery {
  const { where, parameters } = conditionsOf(range);
  const startMin = range.fromNanos - durationMaxNanos;
  return {
    query: `SELECT Timestamp, ${endExpression} AS End,
  unhex(TraceId), unhex(SpanId), unhex(ParentSpanId), TraceState, SpanName,
  toUInt8(indexOf(['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'], SpanKind)),
  toUInt8(indexOf(['Unset', 'Ok', 'Error'], StatusCode)), StatusMessage, ScopeName, ScopeVersion,
  toString(AttributeTypes), if(ConversationId = '', TraceId, ConversationId), SpanAttributes, ResourceAttributes,
  Events.Timestamp, Events.Name, Events.Attributes,
  arrayMap(id -> unhex(id), Links.TraceId), arrayMap(id -> unhex(id), Links.SpanId), Links.TraceState, Links.Attributes
FROM otel_traces
WHERE ${[...where, 'Timestamp >= fromUnixTimestamp64Nano({startNanos:Int64})'].join(' AND ')}
ORDER BY End, Timestamp, SpanId, TraceId
FORMAT RowBinary`,
    parameters: { ...parameters, startNanos: String(startMin > 0n ? startMin : 0n) },
  };
}

/** How many spans there are in each bucket of end time that has any, and how long the longest of them is. */
export function bucketsQuery(range: HistoryRange, bucketNanos: bigint): HistoryQuery {
  const { where, parameters } = conditionsOf(range);
  return {
    query: `SELECT intDiv(${endExpression}, {bucketNanos:Int64}) AS bucket, count() AS spans, max(Duration) AS durationMax
FROM otel_traces WHERE ${where.join(' AND ')} GROUP BY bucket ORDER BY bucket`,
    parameters: { ...parameters, bucketNanos: String(bucketNanos) },
  };
}

/** Conditions on otel_traces and their parameters. The one on the start alone lets ClickHouse skip later days. */
export function conditionsOf(range: HistoryRange): { where: string[]; parameters: Record<string, unknown> } {
  const where = [
    `${endExpression} >= {fromNanos:Int64}`,
    `${endExpression} < {toNanos:Int64}`,
    'Timestamp < fromUnixTimestamp64Nano({toNanos:Int64})',
  ];
  const parameters: Record<string, unknown> = {
    fromNanos: String(range.fromNanos),
    toNanos: String(range.toNanos),
  };
  const { agent, service, traceId, findingsOf } = range;
  const add = (condition: string, name: string, value: string | readonly string[] | undefined) => {
    if (value === undefined) return;
    where.push(condition);
    parameters[name] = value;
  };
  add('(AgentName = {agent:String} OR ServiceName = {agent:String})', 'agent', agent);
  add('ServiceName = {service:String}', 'service', service);
  add('TraceId = {traceId:String}', 'traceId', traceId);
  const found =
    '(TraceId, SpanId) IN (SELECT TraceId, SpanId FROM findings WHERE RuleId IN {findingsOf:Array(String)})';
  add(found, 'findingsOf', findingsOf);
  return { where, parameters };
}
