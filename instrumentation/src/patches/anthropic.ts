import { type AttributeValue, type Span, SpanKind } from '@opentelemetry/api';
import { agentAttributes, currentAgent } from '../agent-context.ts';
import { activeContext, globalApi, globalTracer } from '../ambient.ts';
import { contentBytesMax } from '../content.ts';
import type { ContentMode, PackageCopy, Patch, PatchContext } from '../patch.ts';
import { providerMode } from '../provider.ts';
import { attr, provider } from '../semconv.ts';
import { type SpanHandle, startSpan } from '../spans.ts';
import { messagesApi, offeredTools, replyContent, requestContent } from './anthropic-messages.ts';
import { observeCall } from './api-promise.ts';
import { type Api, isObject, type Json, type SpanAttributes, text } from './model-api.ts';
import { modelCallObserver } from './model-call.ts';

/** The same class name in both files; `parse`, `stream` and `toolRunner` all go through its `create`. */
const files = ['resources/messages/messages', 'resources/beta/messages/messages'];
/** Helpers that start a span before they call `create`. */
const helperNames = ['stream', 'toolRunner'] as const;
const patched = Symbol.for('spanwarden.patched');

const contentModeVariable = 'ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE';
const contentBytesVariable = 'ANTHROPIC_OPEN_TELEMETRY_TRACES_MAX_CONTENT_BYTES';

/** What we read of a client. Since 0.134 it has a tracer and makes spans of its own. */
interface ClientLike {
  _tracer?: TracerLike | undefined;
  readonly openTelemetry?: { readonly traces?: { readonly contentMode?: unknown } };
  readonly _genAIProviderName?: unknown;
  readonly baseURL?: unknown;
}

interface TracerLike {
  startSpan(...args: unknown[]): Span;
}

/** The API's stand-in for a tracer, made while nobody had registered a provider. */
interface ProxyTracerLike extends TracerLike {
  readonly name: string;
  readonly version?: string;
  readonly _provider: { getDelegateTracer(name: string, version?: string): unknown };
}

type Method = ((this: { _client?: ClientLike }, ...args: unknown[]) => unknown) & { [patched]?: true };

/**
 * Anthropic. From 0.134 on the SDK emits spans itself: those we switch content on for and add what they lack, first of all
 * the tool definitions. Earlier versions get spans of ours.
 */
export const anthropic: Patch = {
  packages: ['@anthropic-ai/sdk'],
  files,
  apply(copy: PackageCopy, context: PatchContext) {
    const wish = contentWish(context);
    const hooked = files.filter((file) => {
      const Messages = copy.load(file)?.Messages;
      if (typeof Messages !== 'function' || !wrapCreate(Messages.prototype, wish, context)) return false;
      for (const name of helperNames) wrapHelper(Messages.prototype, name, context);
      return true;
    });
    return hooked.map((file) => `${file.replace('resources/', '')}.create`);
  },
};

/** The mode the user gave the SDK itself, by its own variable, before us; undefined when there was none. */
let givenMode: { readonly value: string | undefined } | undefined;

/**
 * Asks the SDK for content on the spans it emits, which a client reads when it is made. Only with full content: the SDK
 * knows all or nothing. A variable that the user has set stays, and means the same for what we add.
 */
function contentWish(context: PatchContext): () => ContentMode {
  givenMode ??= { value: process.env[contentModeVariable]?.trim().toLowerCase() };
  const { value } = givenMode;
  if (value === undefined && context.contentMode === 'full') {
    process.env[contentModeVariable] = 'content';
    process.env[contentBytesVariable] ??= String(contentBytesMax());
  }
  return () => (value === undefined || value === 'content' ? context.contentMode : 'metadata_only');
}

function wrapCreate(prototype: unknown, wish: () => ContentMode, context: PatchContext): boolean {
  const owner = prototype as { create?: Method };
  const original = owner?.create;
  if (typeof original !== 'function') return false;
  if (original[patched]) return true;
  const create: Method = function create(this, ...args) {
    const call = begin(this?._client, args, wish, context);
    if (!call) return original.apply(this, args);
    let result: unknown;
    try {
      result = call.run(() => original.apply(this, args));
    } catch (error) {
      call.handle()?.fail(error);
      throw error;
    }
    const handle = call.handle();
    return handle ? observeCall(result, modelCallObserver(handle, call.api, context), context) : result;
  };
  create[patched] = true;
  Object.defineProperty(create, 'length', { value: original.length });
  owner.create = create;
  return true;
}

function wrapHelper(prototype: Record<string, Method | undefined>, name: string, context: PatchContext): void {
  const original = prototype[name];
  if (typeof original !== 'function' || original[patched]) return;
  const helper: Method = function (this, ...args) {
    try {
      liveTracer(this?._client, context);
    } catch (error) {
      context.failed(`begin anthropic ${name}`, error);
    }
    return original.apply(this, args);
  };
  helper[patched] = true;
  Object.defineProperties(helper, { name: { value: name }, length: { value: original.length } });
  prototype[name] = helper;
}

/**
 * The tracer of a client that makes spans itself. A client keeps the tracer it found when it was made; if that was before
 * any provider and by another copy of the API than the one the provider was registered with (its ESM and CJS builds are
 * two), that tracer stays a no-op for ever. It gets one of the provider that is registered now.
 */
function liveTracer(client: ClientLike | undefined, context: PatchContext): TracerLike | undefined {
  // Settles whose provider it is, before the SDK asks for one.
  context.tracer();
  // An isolated provider of ours never sees the spans that the SDK gives to the host's.
  if (!client || providerMode() === 'isolated') return undefined;
  const tracer = client._tracer;
  if (isOrphan(tracer) && globalApi()?.trace)
    client._tracer = globalTracer(tracer.name, tracer.version ?? '') as TracerLike;
  return client._tracer;
}

function isOrphan(tracer: TracerLike | undefined): tracer is ProxyTracerLike {
  const { name, version, _provider: from } = Object(tracer) as Partial<ProxyTracerLike>;
  if (typeof name !== 'string' || typeof from?.getDelegateTracer !== 'function') return false;
  return from.getDelegateTracer(name, version) === undefined;
}

/** One call of `create`. */
interface Call {
  readonly api: Api;
  /** Makes the call; what it throws passes through. */
  run<T>(fn: () => T): T;
  /** The span to tell the answer on; undefined when the SDK does that itself. Asked for after `run`. */
  handle(): SpanHandle | undefined;
}

function begin(
  client: ClientLike | undefined,
  args: readonly unknown[],
  wish: () => ContentMode,
  context: PatchContext,
): Call | undefined {
  try {
    const body = isObject(args[0]) ? args[0] : {};
    const tracer = liveTracer(client, context);
    if (client && tracer) return nativeCall(client, tracer, body, args[1], wish, context);
    return ownCall(client, body, context);
  } catch (error) {
    context.failed('begin anthropic messages', error);
    return undefined;
  }
}

function ownCall(client: ClientLike | undefined, body: Json, context: PatchContext): Call {
  const model = text(body.model);
  const handle = startSpan(context, {
    name: model ? `${messagesApi.operation} ${model}` : messagesApi.operation,
    kind: SpanKind.CLIENT,
    attributes: {
      [attr.operationName]: messagesApi.operation,
      ...clientAttributes(client),
      ...callerAttributes(body),
      ...messagesApi.request(body, context.contentMode),
    },
  });
  return { api: messagesApi, run: handle.run, handle: () => handle };
}

/**
 * The SDK makes the span inside `create`, or a helper made it before and passes it on. While `create` runs, which is
 * synchronous, the client's tracer is one that tells us the span; then the client has its own again.
 */
function nativeCall(
  client: ClientLike,
  tracer: TracerLike,
  body: Json,
  options: unknown,
  wish: () => ContentMode,
  context: PatchContext,
): Call {
  const helpers = spanOfHelper(options);
  let span = helpers;
  const listening: TracerLike = {
    startSpan(...args) {
      const started = tracer.startSpan(...args);
      span ??= started;
      return started;
    },
  };
  const mode = wish();
  const isTold = client.openTelemetry?.traces?.contentMode === 'content';
  // Of a stream the SDK tells what was said only where a helper of its own reads it.
  const isAnswerTold = isTold && (helpers !== undefined || body.stream !== true);
  let handle: SpanHandle | undefined;
  return {
    api: contentApi(mode),
    run(fn) {
      const listens = replaceTracer(client, listening, context);
      try {
        return fn();
      } finally {
        if (listens) replaceTracer(client, tracer, context);
        if (span) handle = enrich(span, body, mode, isTold, context);
      }
    },
    handle: () => (isAnswerTold ? undefined : handle),
  };
}

function replaceTracer(client: ClientLike, tracer: TracerLike, context: PatchContext): boolean {
  try {
    client._tracer = tracer;
    return true;
  } catch (error) {
    context.failed('watch anthropic spans', error);
    return false;
  }
}

/** Helpers of the SDK that call `create` make its span themselves. */
function spanOfHelper(options: unknown): Span | undefined {
  const call = isObject(options) ? options.__span : undefined;
  const span = isObject(call) ? call.span : undefined;
  return isObject(span) && typeof span.setAttributes === 'function' ? (span as unknown as Span) : undefined;
}

/** Adds to the SDK's span what the SDK does not tell. */
function enrich(span: Span, body: Json, mode: ContentMode, isTold: boolean, context: PatchContext): SpanHandle {
  const handle = borrowedSpan(span, context);
  try {
    handle.set({
      ...withoutConversation(span, agentAttributes()),
      ...callerAttributes(body),
      ...offeredTools(body, mode),
      ...(!isTold && requestContent(body, mode)),
    });
  } catch (error) {
    context.failed('enrich anthropic messages', error);
  }
  return handle;
}

/** A conversation the caller named for this very call is more exact than the one around it. */
function withoutConversation(span: Span, attributes: SpanAttributes): SpanAttributes {
  const known = (span as { attributes?: Record<string, AttributeValue | undefined> }).attributes;
  if (known?.[attr.conversationId] === undefined) return attributes;
  return { ...attributes, [attr.conversationId]: undefined };
}

/** A span that somebody else ends: attributes may be added for as long as it lasts. */
function borrowedSpan(span: Span, context: PatchContext): SpanHandle {
  const set = (attributes: SpanAttributes | undefined): void => {
    try {
      if (!attributes || !span.isRecording()) return;
      for (const [name, value] of Object.entries(attributes)) if (value !== undefined) span.setAttribute(name, value);
    } catch (error) {
      context.failed('enrich anthropic messages', error);
    }
  };
  return {
    span,
    context: activeContext(),
    get ended() {
      return !span.isRecording();
    },
    set,
    run: (fn) => fn(),
    end: set,
    fail: (_error, attributes) => set(attributes),
  };
}

/** Of an answer on the SDK's own span, only what was said is missing. */
function contentApi(mode: ContentMode): Api {
  return { ...messagesApi, request: () => ({}), reply: (value) => replyContent(value, mode) };
}

function callerAttributes(body: Json): SpanAttributes {
  const said = isObject(body.metadata) ? text(body.metadata.user_id) : undefined;
  return currentAgent().userId === undefined ? { [attr.userId]: said?.slice(0, 256) } : {};
}

/** Other services with Claude models use the same class, by way of packages built on this one. */
const providersByHost: readonly (readonly [string, string])[] = [
  ['amazonaws.com', 'aws.bedrock'],
  ['googleapis.com', 'gcp.vertex_ai'],
  ['azure.com', 'azure.ai.inference'],
];

function clientAttributes(client: ClientLike | undefined): SpanAttributes {
  const url = typeof client?.baseURL === 'string' ? URL.parse(client.baseURL) : null;
  const host = url?.hostname ?? '';
  const known = providersByHost.find(([suffix]) => host.endsWith(`.${suffix}`))?.[1];
  return {
    [attr.providerName]: text(client?._genAIProviderName) ?? known ?? provider.anthropic,
    [attr.serverAddress]: host || undefined,
    [attr.serverPort]: url ? Number(url.port || (url.protocol === 'http:' ? 80 : 443)) : undefined,
  };
}
