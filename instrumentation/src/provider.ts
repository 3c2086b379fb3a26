import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { type Tracer, type TracerProvider, trace } from '@opentelemetry/api';
import { globalApi, globalTracer } from './ambient.ts';
import { exporterNames } from './export/otlp-config.ts';
import { runtime } from './runtime.ts';
import { scopeName } from './semconv.ts';
import { version } from './version.ts';

/**
 * Whose provider makes our spans. `own`: ours, registered for the whole process. `host`: the host's, through the global
 * API. `isolated`: ours, unregistered, reading the host's active context. `off`: switched off by OTEL_SDK_DISABLED.
 */
export type ProviderMode = 'undecided' | 'own' | 'host' | 'isolated' | 'off';

type SdkModule = typeof import('./sdk.ts');

let sdkModule: SdkModule | undefined;
let own: TracerProvider | undefined;
let mode: ProviderMode = 'undecided';
let processorHandedOut = false;

/** The OpenTelemetry SDK, loaded on first use and synchronously, so that nobody has to wait for it. */
export function loadSdk(): SdkModule {
  // Same extension as this very file: the sources run as .ts, the package as .js.
  sdkModule ??= createRequire(import.meta.url)(`./sdk${extname(import.meta.filename)}`) as SdkModule;
  return sdkModule;
}

/**
 * The tracer for one span. The choice falls with the first span and not at start, because a host that sets up its own
 * SDK does so between the two, and only the first registration in a process wins.
 */
export function currentTracer(): Tracer {
  return choose().getTracer(scopeName, version);
}

export function providerMode(): ProviderMode {
  return mode;
}

/** Called when the host adds our processor to its provider: from then on its pipeline reaches us. */
export function markProcessorHandedOut(): void {
  processorHandedOut = true;
}

export function switchOff(): void {
  mode = 'off';
}

/** What the exporter did so far; undefined before it exists. */
export function exportStatus(): ReturnType<SdkModule['exportStatus']> {
  return sdkModule?.exportStatus();
}

function choose(): Pick<TracerProvider, 'getTracer'> {
  if (own) return own;
  const host = globalApi()?.trace;
  if (mode === 'off' || exporterNames(process.env).length === 0) return { getTracer: globalTracer };
  try {
    return host === undefined || wanted() === 'isolated' ? useOwn() : useHost(host);
  } catch (error) {
    runtime.failed('set up OpenTelemetry', error);
    return { getTracer: globalTracer };
  }
}

function useOwn(): TracerProvider {
  const { createSdk, ensureContext } = loadSdk();
  const sdk = createSdk();
  own = sdk.provider;
  mode = wanted() !== 'isolated' && sdk.register() ? 'own' : 'isolated';
  if (mode === 'isolated') ensureContext();
  return own;
}

/**
 * With the host's provider in place its pipeline decides where spans go; unless its API copy is one that ours cannot talk
 * to and our processor is not in it: then nobody would see our spans, so an isolated provider exports them.
 */
function useHost(host: TracerProvider): Pick<TracerProvider, 'getTracer'> {
  const sameApi = trace.getTracerProvider() === host;
  if (!sameApi && !processorHandedOut && wanted() !== 'host') return useOwn();
  mode = 'host';
  if (!globalApi()?.context) loadSdk().ensureContext();
  return host;
}

/** SPANWARDEN_PROVIDER: `isolated` keeps our spans out of the host's pipeline, `host` never opens one of our own beside it. */
function wanted(): string {
  return process.env.SPANWARDEN_PROVIDER?.trim().toLowerCase() ?? '';
}
