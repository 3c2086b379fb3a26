import {
  type BaggageEntry,
  type Context,
  createTraceState,
  isSpanContextValid,
  propagation,
  type SpanContext,
  trace,
} from '@opentelemetry/api';

/**
 * W3C trace context in a JSON object instead of HTTP headers: MCP's `params._meta` carries `traceparent`, `tracestate` and
 * `baggage` unprefixed. https://modelcontextprotocol.io/community/seps/414-request-meta
 * Written here and not left to the registered propagator, because the peer expects these very keys whatever the host
 * propagates over HTTP, and because an older API copy in the process would make that propagator a silent no-op.
 */
export interface TraceCarrier {
  readonly traceparent?: string;
  readonly tracestate?: string;
  readonly baggage?: string;
}

const traceparentPattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const tracestateCharsMax = 512;
const baggageCharsMax = 8192;
const baggageEntriesMax = 64;

/** The carrier for a context; empty when there is no valid span in it. OTEL_PROPAGATORS (default `tracecontext,baggage`) rules. */
export function carrierOf(context: Context): TraceCarrier {
  const spanContext = trace.getSpanContext(context);
  const wanted = propagators();
  if (!spanContext || !isSpanContextValid(spanContext)) return {};
  const tracestate = wanted.has('tracecontext') ? spanContext.traceState?.serialize() : undefined;
  const baggage = wanted.has('baggage') ? baggageText(context) : undefined;
  return {
    ...(wanted.has('tracecontext') && { traceparent: traceparentOf(spanContext) }),
    ...(tracestate && { tracestate }),
    ...(baggage && { baggage }),
  };
}

/** `base` with the remote span and baggage of a carrier; `base` itself when the carrier has no valid `traceparent`. */
export function contextFrom(carrier: unknown, base: Context): Context {
  if (typeof carrier !== 'object' || carrier === null || !propagators().has('tracecontext')) return base;
  const { traceparent, tracestate, baggage } = carrier as Record<string, unknown>;
  const remote = remoteSpanContext(traceparent, tracestate);
  if (!remote) return base;
  const withSpan = trace.setSpanContext(base, remote);
  return typeof baggage === 'string' && propagators().has('baggage') ? withBaggage(withSpan, baggage) : withSpan;
}

function traceparentOf({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${(traceFlags & 0xff).toString(16).padStart(2, '0')}`;
}

/** https://www.w3.org/TR/trace-context/#traceparent-header : version ff is invalid, later versions may append members. */
function remoteSpanContext(traceparent: unknown, tracestate: unknown): SpanContext | undefined {
  const match = typeof traceparent === 'string' && traceparent.length <= 256 && traceparentPattern.exec(traceparent);
  if (!match) return undefined;
  const [, version, traceId = '', spanId = '', flags = '', more] = match;
  if (version === 'ff' || (version === '00' && more)) return undefined;
  const remote: SpanContext = {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & 0x01,
    isRemote: true,
    ...(typeof tracestate === 'string' &&
      tracestate.length <= tracestateCharsMax && { traceState: createTraceState(tracestate) }),
  };
  return isSpanContextValid(remote) ? remote : undefined;
}

function baggageText(context: Context): string | undefined {
  const entries = propagation.getBaggage(context)?.getAllEntries() ?? [];
  let text = '';
  for (const [key, { value, metadata }] of entries.slice(0, baggageEntriesMax)) {
    const suffix = metadata ? `;${metadata.toString()}` : '';
    const member = `${encodeURIComponent(key)}=${encodeURIComponent(value)}${suffix}`;
    if (text.length + member.length + 1 > baggageCharsMax) break;
    text += text ? `,${member}` : member;
  }
  return text || undefined;
}

/** Metadata after `;` is dropped: nothing here reads it, and it would be sent on to others. */
function withBaggage(context: Context, text: string): Context {
  if (text.length > baggageCharsMax) return context;
  const entries: Record<string, BaggageEntry> = Object.create(null);
  for (const member of text.split(',').slice(0, baggageEntriesMax)) {
    const [pair = ''] = member.split(';', 1);
    const equals = pair.indexOf('=');
    if (equals <= 0) continue;
    const key = decoded(pair.slice(0, equals).trim());
    const value = decoded(pair.slice(equals + 1).trim());
    if (key && value !== undefined) entries[key] = { value };
  }
  return propagation.setBaggage(context, propagation.createBaggage(entries));
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function propagators(): ReadonlySet<string> {
  const wanted = process.env.OTEL_PROPAGATORS?.trim() || 'tracecontext,baggage';
  return new Set(wanted.split(',').map((name) => name.trim().toLowerCase()));
}
