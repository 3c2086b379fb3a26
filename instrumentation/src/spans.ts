import {
  type Attributes,
  type AttributeValue,
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TimeInput,
  trace,
} from '@opentelemetry/api';
import { agentAttributes } from './agent-context.ts';
import { activeContext, withContext } from './ambient.ts';
import type { PatchContext } from './patch.ts';
import { withinProcessRun } from './process-run.ts';
import { attr } from './semconv.ts';

export interface SpanSettings {
  readonly name: string;
  /** INTERNAL when left out; CLIENT for calls that leave the process. */
  readonly kind?: SpanKind;
  /** Undefined values are left out. */
  readonly attributes?: Readonly<Record<string, AttributeValue | undefined>>;
  /** The parent's context; the active one when left out. */
  readonly parent?: Context;
  readonly startTime?: TimeInput;
}

/** A started span. No method ever throws; after the span has ended they do nothing. */
export interface SpanHandle {
  readonly span: Span;
  /** The context in which the span is active, for injecting into carriers. */
  readonly context: Context;
  readonly ended: boolean;
  set(attributes: Readonly<Record<string, AttributeValue | undefined>>): void;
  /** Runs `fn` with the span active; what `fn` throws passes through. */
  run<T>(fn: () => T): T;
  end(attributes?: Readonly<Record<string, AttributeValue | undefined>>): void;
  /** Records the error as status and `error.type`, then ends the span. `type` overrides the derived error type. */
  fail(error: unknown, attributes?: Readonly<Record<string, AttributeValue | undefined>>, type?: string): void;
}

/** Starts a span that carries agent, conversation and user of the place it is started at. */
export function startSpan(context: PatchContext, settings: SpanSettings): SpanHandle {
  try {
    const parent = withinProcessRun(settings.parent ?? activeContext(), () => context.tracer());
    const span = context.tracer().startSpan(
      settings.name,
      {
        kind: settings.kind ?? SpanKind.INTERNAL,
        attributes: { ...agentAttributes(), ...present(settings.attributes) },
        ...(settings.startTime !== undefined && { startTime: settings.startTime }),
      },
      parent,
    );
    return handleOf(span, trace.setSpan(parent, span), context);
  } catch (error) {
    context.failed('start span', error);
    return handleOf(trace.wrapSpanContext(invalidSpanContext), ROOT_CONTEXT, context, true);
  }
}

/**
 * Runs `fn` in a new span. The span ends when `fn` returns or throws or, when it returns a promise, when that settles.
 * `describe` turns the result into attributes; it may fail without harm. A promise comes back as one that settles alike,
 * so an error nobody handles stays unhandled, as without us.
 */
export function withSpan<T>(
  context: PatchContext,
  settings: SpanSettings,
  fn: (handle: SpanHandle) => T,
  describe?: (result: Awaited<T>) => Readonly<Record<string, AttributeValue | undefined>> | undefined,
): T {
  const handle = startSpan(context, settings);
  let result: T;
  try {
    result = handle.run(() => fn(handle));
  } catch (error) {
    handle.fail(error);
    throw error;
  }
  if (!isThenable(result)) {
    handle.end(attributesOf(context, describe, result as Awaited<T>));
    return result;
  }
  return result.then(
    (value) => {
      handle.end(attributesOf(context, describe, value as Awaited<T>));
      return value;
    },
    (error: unknown) => {
      handle.fail(error);
      throw error;
    },
  ) as T;
}

/**
 * A bounded name for an error: an HTTP status, a system or library error code, else the class. Never a message, which
 * could hold content.
 */
export function errorType(error: unknown): string {
  if (typeof error !== 'object' || error === null) return typeof error;
  const { status, code, name } = error as { status?: unknown; code?: unknown; name?: unknown };
  if (typeof status === 'number') return String(status);
  if (typeof code === 'string' && /^[\w.-]{1,64}$/.test(code)) return code;
  const className = error.constructor?.name;
  if (typeof className === 'string' && className !== '' && className !== 'Error' && className !== 'Object') {
    return className.slice(0, 64);
  }
  return typeof name === 'string' && name !== '' ? name.slice(0, 64) : '_OTHER';
}

function handleOf(span: Span, spanContext: Context, context: PatchContext, inert = false): SpanHandle {
  let ended = false;
  const guarded = (where: string, work: () => void): void => {
    if (ended) return;
    try {
      work();
    } catch (error) {
      context.failed(where, error);
    }
  };
  const finish = (): void => {
    ended = true;
    try {
      span.end();
    } catch (error) {
      context.failed('end span', error);
    }
  };
  const handle: SpanHandle = {
    span,
    context: spanContext,
    get ended() {
      return ended;
    },
    set: (attributes) => guarded('set attributes', () => void span.setAttributes(present(attributes))),
    run: (fn) => (inert ? fn() : withContext(spanContext, fn)),
    end(attributes) {
      if (ended) return;
      if (attributes) handle.set(attributes);
      finish();
    },
    fail(error, attributes, type) {
      if (ended) return;
      guarded('record error', () => {
        span.setAttribute(attr.errorType, type ?? errorType(error));
        span.setStatus({ code: SpanStatusCode.ERROR, message: statusMessage(error, context) });
      });
      handle.end(attributes);
    },
  };
  return handle;
}

const invalidSpanContext = { traceId: '0'.repeat(32), spanId: '0'.repeat(16), traceFlags: 0 };
const statusMessageCharsMax = 1024;

/** Error messages quote arguments and replies, so they are content: without content only the class is told. */
function statusMessage(error: unknown, context: PatchContext): string {
  if (context.contentMode !== 'full') return errorType(error);
  const message = error instanceof Error ? error.message : String(error);
  return message.slice(0, statusMessageCharsMax);
}

function attributesOf<T>(
  context: PatchContext,
  describe: ((result: T) => Readonly<Record<string, AttributeValue | undefined>> | undefined) | undefined,
  result: T,
): Readonly<Record<string, AttributeValue | undefined>> | undefined {
  try {
    return describe?.(result);
  } catch (error) {
    context.failed('describe result', error);
    return undefined;
  }
}

function present(attributes: Readonly<Record<string, AttributeValue | undefined>> | undefined): Attributes {
  const kept: Attributes = {};
  for (const key in attributes) {
    const value = attributes[key];
    if (value !== undefined) kept[key] = value;
  }
  return kept;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}
