import { SpanKind } from '@opentelemetry/api';
import { currentAgent } from '../agent-context.ts';
import type { PackageCopy, Patch, PatchContext } from '../patch.ts';
import { attr, provider } from '../semconv.ts';
import { type SpanHandle, startSpan } from '../spans.ts';
import { type CallObserver, observeCall } from './api-promise.ts';
import { type Api, isObject, type Json, type SpanAttributes, text } from './model-api.ts';
import { modelCallObserver } from './model-call.ts';
import { chatApi, completionApi, embeddingApi } from './openai-chat.ts';
import { responsesApi } from './openai-responses.ts';

/** Where each API's class stands in the package; the same in versions 5, 6 and 7. */
const targets: readonly { file: string; exported: string; api: Api }[] = [
  { file: 'resources/chat/completions/completions', exported: 'Completions', api: chatApi },
  { file: 'resources/responses/responses', exported: 'Responses', api: responsesApi },
  { file: 'resources/embeddings', exported: 'Embeddings', api: embeddingApi },
  { file: 'resources/completions', exported: 'Completions', api: completionApi },
];

const patched = Symbol.for('spanwarden.patched');
const versionFirst = 5;

type Create = (this: { _client?: unknown }, ...args: unknown[]) => unknown;

/** Wraps `create` of OpenAI's chat, responses, embeddings and completions: every other way to call them goes through it. */
export const openai: Patch = {
  packages: ['openai'],
  files: targets.map((target) => target.file),
  apply(copy: PackageCopy, context: PatchContext) {
    const major = Number.parseInt(copy.version, 10);
    if (!(major >= versionFirst)) return [];
    const hooked: string[] = [];
    for (const { file, exported, api } of targets) {
      const owner = copy.load(file)?.[exported];
      if (typeof owner === 'function' && wrapCreate(owner.prototype, api, context)) {
        hooked.push(`${file.replace('resources/', '')}.create`);
      }
    }
    return hooked;
  },
};

function wrapCreate(prototype: unknown, api: Api, context: PatchContext): boolean {
  const owner = prototype as { create?: Create & { [patched]?: true } };
  const original = owner?.create;
  if (typeof original !== 'function') return false;
  if (original[patched]) return true;
  const create: Create & { [patched]?: true } = function create(this, ...args) {
    const call = beginCall(this, args[0], api, context);
    if (!call) return original.apply(this, args);
    let result: unknown;
    try {
      result = call.handle.run(() => original.apply(this, args));
    } catch (error) {
      call.observer.error(error);
      throw error;
    }
    return observeCall(result, call.observer, context);
  };
  create[patched] = true;
  Object.defineProperty(create, 'length', { value: original.length });
  owner.create = create;
  return true;
}

interface Call {
  readonly handle: SpanHandle;
  readonly observer: CallObserver;
}

function beginCall(resource: { _client?: unknown }, body: unknown, api: Api, context: PatchContext): Call | undefined {
  try {
    const request = isObject(body) ? body : {};
    const model = text(request.model);
    const handle = startSpan(context, {
      name: model ? `${api.operation} ${model}` : api.operation,
      kind: SpanKind.CLIENT,
      attributes: {
        [attr.operationName]: api.operation,
        ...clientAttributes(resource?._client),
        ...callerAttributes(request),
        ...api.request(request, context.contentMode),
      },
    });
    return { handle, observer: modelCallObserver(handle, api, context) };
  } catch (error) {
    context.failed(`begin ${api.label}`, error);
    return undefined;
  }
}

/** Whom the caller says it acts for, where no session of ours says so. */
function callerAttributes(body: Json): SpanAttributes {
  const { userId, conversationId } = currentAgent();
  const conversation = isObject(body.conversation) ? body.conversation.id : body.conversation;
  return {
    ...(userId === undefined && { [attr.userId]: text(body.safety_identifier) ?? text(body.user) }),
    ...(conversationId === undefined && { [attr.conversationId]: text(conversation) }),
  };
}

/** Services that speak OpenAI's protocol, by host name. */
const providersByHost: readonly (readonly [string, string])[] = [
  ['openai.azure.com', provider.azureOpenai],
  ['cognitiveservices.azure.com', provider.azureOpenai],
  ['services.ai.azure.com', 'azure.ai.inference'],
  ['groq.com', 'groq'],
  ['deepseek.com', 'deepseek'],
  ['x.ai', 'x_ai'],
  ['mistral.ai', 'mistral_ai'],
  ['perplexity.ai', 'perplexity'],
  ['moonshot.ai', 'moonshot_ai'],
  ['generativelanguage.googleapis.com', 'gcp.gemini'],
  ['anthropic.com', provider.anthropic],
];

function clientAttributes(client: unknown): SpanAttributes {
  const { baseURL, constructor: made } = Object(client) as { baseURL?: unknown; constructor?: { name?: unknown } };
  const url = typeof baseURL === 'string' ? URL.parse(baseURL) : null;
  const host = url?.hostname ?? '';
  const known = providersByHost.find(([suffix]) => host === suffix || host.endsWith(`.${suffix}`))?.[1];
  const azure = made?.name === 'AzureOpenAI';
  return {
    [attr.providerName]: azure ? provider.azureOpenai : (known ?? provider.openai),
    [attr.serverAddress]: host || undefined,
    [attr.serverPort]: url ? Number(url.port || (url.protocol === 'http:' ? 80 : 443)) : undefined,
  };
}
