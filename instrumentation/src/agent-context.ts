import { AsyncLocalStorage } from 'node:async_hooks';
import type { Attributes } from '@opentelemetry/api';
import { processRun } from './process-run.ts';
import { attr } from './semconv.ts';

/** Who acts, in which conversation, for whom. Spans below inherit it, so that every tool and model call names its agent. */
export interface AgentContext {
  readonly agentName?: string | undefined;
  readonly conversationId?: string | undefined;
  readonly userId?: string | undefined;
}

/** One storage per process, whichever copy of this package set it: npm may nest two. */
const storage: AsyncLocalStorage<AgentContext> = shared('spanwarden.agent_context', () => new AsyncLocalStorage());
/** What holds outside of any agent: nothing, unless the environment makes the whole process one agent's run. */
const outermost: AgentContext = Object.freeze({ ...processRun });

/** The values in force here; an empty object outside of any agent. */
export function currentAgent(): AgentContext {
  return storage.getStore() ?? outermost;
}

/** Runs `fn` with these values on top of those in force; undefined members leave the outer value. */
export function withAgentContext<T>(values: AgentContext, fn: () => T): T {
  return storage.run(merged(values), fn);
}

/** Sets values for the rest of the current asynchronous execution, for callers that cannot wrap their code in a function. */
export function enterAgentContext(values: AgentContext): void {
  storage.enterWith(merged(values));
}

/** The values in force as span attributes. */
export function agentAttributes(): Attributes {
  const current = currentAgent();
  return {
    ...(current.agentName !== undefined && { [attr.agentName]: current.agentName }),
    ...(current.conversationId !== undefined && { [attr.conversationId]: current.conversationId }),
    ...(current.userId !== undefined && { [attr.userId]: current.userId }),
  };
}

function merged(values: AgentContext): AgentContext {
  const outer = currentAgent();
  return {
    agentName: values.agentName ?? outer.agentName,
    conversationId: values.conversationId ?? outer.conversationId,
    userId: values.userId ?? outer.userId,
  };
}

function shared<T>(name: string, create: () => T): T {
  const key = Symbol.for(name);
  const host = globalThis as unknown as Record<symbol, T | undefined>;
  host[key] ??= create();
  return host[key];
}
