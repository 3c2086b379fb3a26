import {
  type Context,
  type ContextManager,
  context,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';

/**
 * The process-wide state of every `@opentelemetry/api` 1.x copy. Going to it directly works across copies: an API of
 * version 1.10 answers with no-ops when a 1.9 registered the provider, silently.
 */
interface GlobalApi {
  readonly version?: string;
  readonly trace?: TracerProvider;
  readonly context?: ContextManager;
  readonly propagation?: unknown;
}

let ownManager: ContextManager | undefined;

/** What is registered in this process, by whichever copy of the API; undefined when nothing is. */
export function globalApi(): GlobalApi | undefined {
  return (globalThis as unknown as Record<symbol, GlobalApi | undefined>)[Symbol.for('opentelemetry.js.api.1')];
}

/** A context manager of our own for the case that the API copy cannot register one. */
export function useContextManager(manager: ContextManager): void {
  ownManager = manager;
}

/** The active context of the host, or of ours where the host has none. */
export function activeContext(): Context {
  return (globalApi()?.context ?? ownManager)?.active() ?? context.active();
}

/** Runs `fn` with `value` as the active context. */
export function withContext<T>(value: Context, fn: () => T): T {
  const manager = globalApi()?.context ?? ownManager;
  return manager ? manager.with(value, fn) : context.with(value, fn);
}

/** A tracer of the registered provider; no-op when there is none. */
export function globalTracer(name: string, version: string): Tracer {
  return globalApi()?.trace?.getTracer(name, version) ?? trace.getTracer(name, version);
}
