import { type AttributeValue, type Context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { activeContext } from '../ambient.ts';
import type { PatchContext } from '../patch.ts';
import { closeLater } from '../pending.ts';
import { attr, operation } from '../semconv.ts';
import { type SpanHandle, startSpan } from '../spans.ts';
import {
  errorAttributes,
  isRecord,
  type ProtocolLike,
  type RequestLike,
  requestAttributes,
  requestIdAttribute,
  resultAttributes,
  type SpanAttributes,
  spanName,
  toolName,
} from './mcp-attributes.ts';
import { carrierOf } from './trace-context.ts';

type RequestMethod = (this: ProtocolLike, ...args: unknown[]) => unknown;

/** `_meta` objects we made: SDK 2.x sends a request again, with answers of the user, as a further leg of the same call. */
const sentMeta = new WeakSet<object>();

/**
 * Wraps the method through which every outgoing request passes: a CLIENT span from sending to the checked answer, and the
 * trace context in a copy of `params._meta`. `position` is the request's place among the arguments.
 */
export function tracedRequest(original: RequestMethod, position: number, context: PatchContext): RequestMethod {
  return function (this: ProtocolLike, ...args: unknown[]): unknown {
    const call = begin(this, args[position], context);
    if (!call) return original.apply(this, args);
    const before = this._requestMessageId;
    let answer: unknown;
    try {
      answer = call.run(() => original.apply(this, args.with(position, call.request)));
    } catch (error) {
      call.fail(error);
      throw error;
    }
    call.sent(before, this._requestMessageId);
    if (!(answer instanceof Promise)) {
      call.answered(answer);
      return answer;
    }
    return answer.then(
      (result: unknown) => {
        call.answered(result);
        return result;
      },
      (error: unknown) => {
        call.fail(error);
        throw error;
      },
    );
  };
}

/** One call under way. No method throws, except what `run` runs. */
interface Call {
  readonly request: RequestLike;
  run<T>(fn: () => T): T;
  sent(idBefore: unknown, idAfter: unknown): void;
  answered(result: unknown): void;
  fail(error: unknown): void;
}

function begin(protocol: ProtocolLike, given: unknown, context: PatchContext): Call | undefined {
  let sink: CallSink | undefined;
  try {
    if (!isRequest(given) || given.method === 'ping' || isFurtherLeg(given)) return undefined;
    const attributes = requestAttributes(protocol, given, context.contentMode);
    sink = joinedTool(given, attributes, context) ?? ownSpan(given, attributes, context);
    return callOf(protocol, given, withTraceContext(given, sink.context), sink, context);
  } catch (error) {
    context.failed('mcp request', error);
    sink?.end({});
    return undefined;
  }
}

function callOf(
  protocol: ProtocolLike,
  given: RequestLike,
  request: RequestLike,
  sink: CallSink,
  context: PatchContext,
): Call {
  // A process that exits tells of the calls it never got an answer to.
  const cancelClose = closeLater(undefined, () => sink.end({}));
  const guarded = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      context.failed('mcp answer', error);
      sink.end({});
    }
  };
  return {
    request,
    run: sink.run,
    // The id is taken synchronously, so exactly one step means that it is ours.
    sent: (before, after) =>
      guarded(() => {
        if (typeof before === 'number' && after === before + 1) sink.set(requestIdAttribute(before));
      }),
    answered: (result) =>
      guarded(() => {
        cancelClose();
        sink.end(resultAttributes(protocol, given, result, context.contentMode));
      }),
    fail: (error) =>
      guarded(() => {
        cancelClose();
        const { attributes, type } = errorAttributes(error);
        sink.fail(error, attributes, type);
      }),
  };
}

/** Where the facts of a call go: onto a span of our own, or onto the tool span that encloses it. */
interface CallSink {
  readonly context: Context;
  run<T>(fn: () => T): T;
  set(attributes: SpanAttributes): void;
  end(attributes: SpanAttributes): void;
  fail(error: unknown, attributes: SpanAttributes, type: string | undefined): void;
}

function ownSpan(request: RequestLike, attributes: SpanAttributes, context: PatchContext): CallSink {
  const handle = startSpan(context, { name: spanName(request), kind: SpanKind.CLIENT, attributes });
  return {
    context: handle.context,
    run: handle.run,
    set: handle.set,
    end: (more) => endCall(handle, more),
    fail: handle.fail,
  };
}

/** Ends a span whose answer may say that the tool failed: that is an error status too, though no exception. */
export function endCall(handle: SpanHandle, attributes: SpanAttributes): void {
  const problem = attributes[attr.errorType];
  if (!handle.ended && typeof problem === 'string') {
    handle.span.setStatus({ code: SpanStatusCode.ERROR, message: problem });
  }
  handle.end(attributes);
}

/**
 * An active `execute_tool` span of the same tool is already tracing this call. The conventions want it enriched instead of
 * a second span: https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/mcp.md
 */
function joinedTool(request: RequestLike, attributes: SpanAttributes, context: PatchContext): CallSink | undefined {
  const name = toolName(request);
  const active = activeContext();
  const span = trace.getSpan(active);
  if (name === undefined || !span?.isRecording()) return undefined;
  // Spans of every SDK version hold their attributes here; the API alone does not tell them.
  const known = (span as { attributes?: Record<string, AttributeValue | undefined> }).attributes;
  if (known?.[attr.operationName] !== operation.executeTool || known[attr.toolName] !== name) return undefined;
  // A call joined it before, or it is itself a span of MCP, of a gateway that passes the call on.
  if (known[attr.mcpMethodName] !== undefined) return undefined;
  const set = (more: SpanAttributes): void => {
    try {
      for (const [key, value] of Object.entries(more)) {
        if (value !== undefined && known[key] === undefined) span.setAttribute(key, value);
      }
    } catch (error) {
      context.failed('mcp enrich', error);
    }
  };
  set(attributes);
  return {
    context: active,
    run: (fn) => fn(),
    set,
    end: set,
    fail: (_error, more) => set(more),
  };
}

/** A copy of the request with the trace context; the caller's objects stay as they are. */
function withTraceContext(request: RequestLike, spanContext: Context): RequestLike {
  const { params } = request;
  const given = params?._meta;
  const carrier = carrierOf(spanContext);
  if (carrier.traceparent === undefined && carrier.baggage === undefined) return request;
  // A caller that passes its own context on knows better.
  if (isRecord(given) && 'traceparent' in given) return request;
  const meta = { ...(isRecord(given) && given), ...carrier };
  sentMeta.add(meta);
  return { ...request, params: { ...params, _meta: meta } };
}

function isFurtherLeg({ params }: RequestLike): boolean {
  const meta = params?._meta;
  return isRecord(meta) && sentMeta.has(meta);
}

function isRequest(value: unknown): value is RequestLike {
  return isRecord(value) && typeof value.method === 'string' && (value.params === undefined || isRecord(value.params));
}
