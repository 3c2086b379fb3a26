import { SpanKind } from '@opentelemetry/api';
import { activeContext } from '../ambient.ts';
import type { PatchContext } from '../patch.ts';
import { attr } from '../semconv.ts';
import { type SpanHandle, startSpan } from '../spans.ts';
import {
  errorAttributes,
  isRecord,
  type ProtocolLike,
  type RequestLike,
  requestAttributes,
  requestIdAttribute,
  resultAttributes,
  spanName,
} from './mcp-attributes.ts';
import { endCall } from './mcp-client.ts';
import { contextFrom } from './trace-context.ts';

type OnRequest = (this: ProtocolLike, ...args: unknown[]) => unknown;
type Handler = (this: unknown, ...args: unknown[]) => unknown;

const methodNotFound = '-32601';
const internalError = '-32603';

/**
 * Wraps the method that answers incoming requests: a SERVER span around the registered handler, child of the span that the
 * peer sent in `params._meta`.
 */
export function tracedOnRequest(original: OnRequest, context: PatchContext): OnRequest {
  return function (this: ProtocolLike, ...args: unknown[]): unknown {
    const served = begin(this, args[0], context);
    if (!served) return original.apply(this, args);
    try {
      return served.handle.run(() => original.apply(this, args));
    } finally {
      served.dispatched();
    }
  };
}

interface Served {
  readonly handle: SpanHandle;
  /** To be called when `_onrequest` has returned. */
  dispatched(): void;
}

/**
 * `_onrequest` returns nothing and answers later, but it picks the handler synchronously. So the handler it finds is ours
 * for just that long, and whoever looks at the registered handlers before or after sees the application's own.
 */
function begin(protocol: ProtocolLike, message: unknown, context: PatchContext): Served | undefined {
  let handle: SpanHandle | undefined;
  try {
    const handlers = protocol._requestHandlers;
    if (!isMessage(message) || message.method === 'ping' || !(handlers instanceof Map)) return undefined;
    handle = serverSpan(protocol, message, context);
    const restore = observeHandler(protocol, handlers, message, handle, context);
    const started = handle;
    return { handle: started, dispatched: () => afterDispatch(protocol, message, started, restore, context) };
  } catch (error) {
    context.failed('mcp serve', error);
    handle?.end();
    return undefined;
  }
}

function serverSpan(protocol: ProtocolLike, message: RequestLike, context: PatchContext): SpanHandle {
  return startSpan(context, {
    name: spanName(message),
    kind: SpanKind.SERVER,
    parent: contextFrom(message.params?._meta, activeContext()),
    attributes: {
      ...requestAttributes(protocol, message, context.contentMode),
      ...requestIdAttribute(message.id),
    },
  });
}

/** Puts an observing handler in place of the registered one; gives back the function that undoes it. */
function observeHandler(
  protocol: ProtocolLike,
  handlers: Map<unknown, unknown>,
  message: RequestLike,
  handle: SpanHandle,
  context: PatchContext,
): () => void {
  const { method } = message;
  const registered = handlers.get(method);
  const fallback = protocol.fallbackRequestHandler;
  if (isHandler(registered)) {
    const observed = observedHandler(registered, protocol, message, handle, context);
    handlers.set(method, observed);
    return () => void (handlers.get(method) === observed && handlers.set(method, registered));
  }
  if (isHandler(fallback)) {
    const observed = observedHandler(fallback, protocol, message, handle, context);
    protocol.fallbackRequestHandler = observed;
    return () => {
      if (protocol.fallbackRequestHandler === observed) protocol.fallbackRequestHandler = fallback;
    };
  }
  handle.fail(new Error('Method not found'), { [attr.rpcResponseStatusCode]: methodNotFound }, methodNotFound);
  return () => {};
}

function observedHandler(
  handler: Handler,
  protocol: ProtocolLike,
  message: RequestLike,
  handle: SpanHandle,
  context: PatchContext,
): Handler {
  const answered = (result: unknown): void => {
    try {
      endCall(handle, resultAttributes(protocol, message, result, context.contentMode));
    } catch (error) {
      context.failed('mcp serve result', error);
      handle.end();
    }
  };
  const failed = (error: unknown): void => {
    const { attributes, type } = errorAttributes(error);
    // An error without a code of its own is answered as an internal error.
    handle.fail(error, attributes, type ?? internalError);
  };
  return function (this: unknown, ...args: unknown[]): unknown {
    let result: unknown;
    try {
      result = handle.run(() => handler.apply(this, args));
    } catch (error) {
      failed(error);
      throw error;
    }
    if (!(result instanceof Promise)) {
      answered(result);
      return result;
    }
    // The SDK gets the promise itself; our branch ends here, so it must not reject.
    result.then(answered, failed);
    return result;
  };
}

/** A request that was refused before any handler leaves no abort controller behind: its span ends now. */
function afterDispatch(
  protocol: ProtocolLike,
  message: RequestLike,
  handle: SpanHandle,
  restore: () => void,
  context: PatchContext,
): void {
  try {
    restore();
    const pending = protocol._requestHandlerAbortControllers;
    if (pending instanceof Map && !pending.has(message.id)) {
      handle.fail(new Error('Refused before any handler'), {}, 'rejected');
    }
  } catch (error) {
    context.failed('mcp dispatch', error);
  }
}

function isMessage(value: unknown): value is RequestLike {
  return isRecord(value) && typeof value.method === 'string' && (value.params === undefined || isRecord(value.params));
}

function isHandler(value: unknown): value is Handler {
  return typeof value === 'function';
}
