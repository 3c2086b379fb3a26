import { enterAgentContext, withAgentContext } from './agent-context.ts';
import { toolArgumentAttributes, toolResultAttributes } from './content.ts';
import { runtime } from './runtime.ts';
import { attr, operation } from './semconv.ts';
import { type SpanHandle, withSpan } from './spans.ts';

/**
 * The manual API, for agents and tools no patch knows. Every function runs the given code exactly once and gives back what
 * it gives, synchronous or not; its errors pass through untouched, and nothing here ever throws by itself. A returned
 * promise comes back as one that settles alike. Without `register` and without a provider of the host all of it is a no-op.
 */

export interface AgentOptions {
  /** Stable identity of the agent (`gen_ai.agent.id`), when the name may be shown differently. */
  readonly id?: string;
  /** Version of its prompt or code (`gen_ai.agent.version`). */
  readonly version?: string;
}

export interface ToolOptions {
  /** What the model is told the tool does (`gen_ai.tool.description`). */
  readonly description?: string;
  /** `function` (default), `extension` (run by the provider) or `datastore`. */
  readonly type?: string;
  /** Finds the id of the model's tool call among the arguments, which joins proposal and execution. */
  readonly callId?: (...args: never[]) => string | undefined;
}

export interface RetrievalOptions {
  readonly query: string;
  /** The index, collection or store that is searched (`gen_ai.data_source.id`). */
  readonly dataSourceId?: string;
  readonly topK?: number;
}

/** Runs `fn` as the agent `name`: one `invoke_agent` span, and every span inside names the agent. Agents may nest. */
export function agent<T>(name: string, fn: () => T, options: AgentOptions = {}): T {
  const agentName = bounded(name);
  return withAgentContext({ agentName }, () =>
    withSpan(
      runtime,
      {
        name: `${operation.invokeAgent} ${agentName}`,
        attributes: {
          [attr.operationName]: operation.invokeAgent,
          [attr.agentName]: agentName,
          [attr.agentId]: options.id,
          [attr.agentVersion]: options.version,
        },
      },
      () => fn(),
    ),
  );
}

/**
 * Wraps a tool's function: the result has the same signature and `this`, and every call is an `execute_tool` span with
 * arguments and result as far as the content mode allows. One argument is recorded as it is, several as a list.
 */
export function tool<This, Args extends unknown[], Result>(
  name: string,
  fn: (this: This, ...args: Args) => Result,
  options: ToolOptions = {},
): (this: This, ...args: Args) => Result {
  const toolName = bounded(name);
  const wrapped = function (this: This, ...args: Args): Result {
    return withSpan(
      runtime,
      {
        name: `${operation.executeTool} ${toolName}`,
        attributes: {
          [attr.operationName]: operation.executeTool,
          [attr.toolName]: toolName,
          [attr.toolType]: options.type ?? 'function',
          [attr.toolDescription]: options.description,
        },
      },
      (span) => {
        describeCall(span, args, options);
        return fn.apply(this, args);
      },
      (result) => toolResultAttributes(plain(result), runtime.contentMode),
    );
  };
  return Object.defineProperties(wrapped, {
    name: { value: fn.name, configurable: true },
    length: { value: fn.length, configurable: true },
  });
}

/**
 * Runs `fn`, which searches a store: one `retrieval` span with the query and what was found, as far as the content mode
 * allows. What comes back should be a list of documents, or an object with such a list as `documents` or `matches`.
 */
export function retrieval<T>(query: string | RetrievalOptions, fn: () => T): T {
  const { query: queryText, dataSourceId, topK } = typeof query === 'string' ? { query } : query;
  const isFull = runtime.contentMode === 'full';
  return withSpan(
    runtime,
    {
      name: dataSourceId === undefined ? operation.retrieval : `${operation.retrieval} ${bounded(dataSourceId)}`,
      attributes: {
        [attr.operationName]: operation.retrieval,
        [attr.dataSourceId]: dataSourceId,
        [attr.retrievalTopK]: topK,
        [attr.retrievalQueryText]: isFull ? String(queryText).slice(0, queryCharsMax) : undefined,
      },
    },
    () => fn(),
    (result) => (isFull ? { [attr.retrievalDocuments]: documentsText(result) } : undefined),
  );
}

/** Runs `fn` as part of the conversation `id`: spans inside carry it as `gen_ai.conversation.id`. */
export function session<T>(id: string, fn: () => T): T {
  return withAgentContext({ conversationId: bounded(id) }, fn);
}

/** Says for whom the rest of this asynchronous execution works (`user.id` on its spans); with `fn`, only for its time. */
export function user(id: string): void;
export function user<T>(id: string, fn: () => T): T;
export function user<T>(id: string, fn?: () => T): T | undefined {
  if (fn) return withAgentContext({ userId: bounded(id) }, fn);
  enterAgentContext({ userId: bounded(id) });
  return undefined;
}

const nameCharsMax = 256;
const queryCharsMax = 64 * 1024;

function bounded(text: string): string {
  return String(text).slice(0, nameCharsMax);
}

function describeCall(span: SpanHandle, args: unknown[], options: ToolOptions): void {
  try {
    const callId = (options.callId as ((...given: unknown[]) => unknown) | undefined)?.(...args);
    span.set({
      ...(typeof callId === 'string' && { [attr.toolCallId]: bounded(callId) }),
      ...toolArgumentAttributes(plain(args.length === 1 ? args[0] : args), runtime.contentMode),
    });
  } catch (error) {
    runtime.failed('tool arguments', error);
  }
}

/**
 * The value as JSON sees it. Functions of applications take and give anything: connections, streams, buffers, objects that
 * refer to themselves; none of these is content, and following them could take for ever.
 */
function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? { type: 'function' } : value;
  if (ArrayBuffer.isView(value)) return { type: 'binary', bytes: value.byteLength };
  if (Symbol.asyncIterator in value) return { type: 'stream' };
  try {
    const text = JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? String(item) : item));
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return { type: 'unserializable' };
  }
}

/** A tool result in another attribute: what was found is what came back from outside. */
function documentsText(result: unknown): string | undefined {
  const { documents, matches } = (typeof result === 'object' && result !== null ? result : {}) as Record<
    string,
    unknown
  >;
  const found = [result, documents, matches].find(Array.isArray);
  const text = found && toolResultAttributes(plain(found), 'full')[attr.toolCallResult];
  return typeof text === 'string' ? text : undefined;
}
