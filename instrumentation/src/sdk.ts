import { hostname } from 'node:os';
import { basename } from 'node:path';
import { type Attributes, context, propagation, type TextMapPropagator, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ConsoleSpanExporter,
  createAlwaysRecordSampler,
  ParentBasedSampler,
  type Sampler,
  SimpleSpanProcessor,
  type SpanProcessor,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { globalApi, useContextManager } from './ambient.ts';
import { flushOnExit } from './export/exit.ts';
import { exporterNames, keyValues, otlpConfigFrom, positive, queueConfigFrom } from './export/otlp-config.ts';
import { otlpSender } from './export/otlp-sender.ts';
import { type ExportCounts, type QueueProcessor, queueProcessor } from './export/queue-processor.ts';
import { warn } from './runtime.ts';
import { version } from './version.ts';

/** This module holds all of the OpenTelemetry SDK; it is loaded when the first agent library is, not before. */
export interface Sdk {
  readonly provider: TracerProvider;
  /** Registers the provider for the whole process; false when somebody was first or the API copies differ. */
  register(): boolean;
}

let exporting: QueueProcessor | null | undefined;
let target = '';

/** Our span processor, which exports to the OTLP endpoint; undefined when the environment switches OTLP off. */
export function exportProcessor(): QueueProcessor | undefined {
  if (exporting !== undefined) return exporting ?? undefined;
  exporting = null;
  if (!exporterNames(process.env).includes('otlp')) return undefined;
  try {
    const sender = otlpSender(otlpConfigFrom(process.env, warn));
    target = sender.target;
    exporting = queueProcessor(sender, queueConfigFrom(process.env), warn);
    flushOnExit(exporting);
  } catch (error) {
    warn(`no spans are exported: ${error instanceof Error ? error.message : String(error)}`);
  }
  return exporting ?? undefined;
}

/** Counters of the exporter and where it sends to; undefined while there is none. */
export function exportStatus(): (ExportCounts & { readonly target: string }) | undefined {
  return exporting ? { target, ...exporting.counts() } : undefined;
}

/** Makes a provider of our own from the environment. */
export function createSdk(): Sdk {
  const processors: SpanProcessor[] = [];
  const processor = exportProcessor();
  if (processor) processors.push(processor);
  if (exporterNames(process.env).includes('console')) {
    processors.push(new SimpleSpanProcessor({ exporter: new ConsoleSpanExporter() }));
  }
  const provider = new TracerProvider({
    resource: defaultResource().merge(resourceFromAttributes(resourceAttributes())),
    sampler: createAlwaysRecordSampler(samplerFrom(process.env)),
    spanProcessors: processors,
    spanLimits: {
      attributeCountLimit: positive(
        process.env.OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT,
        positive(process.env.OTEL_ATTRIBUTE_COUNT_LIMIT, 128),
      ),
    },
  });
  return {
    provider,
    register() {
      if (!trace.setGlobalTracerProvider(provider)) return false;
      ensureContext();
      const propagator = propagatorFrom(process.env);
      if (propagator && !globalApi()?.propagation) propagation.setGlobalPropagator(propagator);
      return true;
    },
  };
}

/** Makes sure that there is a context manager, so that spans nest; the host's stays where it has one. */
export function ensureContext(): void {
  if (globalApi()?.context) return;
  const manager = new AsyncLocalStorageContextManager().enable();
  if (!context.setGlobalContextManager(manager)) useContextManager(manager);
}

function samplerFrom(env: NodeJS.ProcessEnv): Sampler {
  const name = env.OTEL_TRACES_SAMPLER?.trim() ?? '';
  const ratio = Number(env.OTEL_TRACES_SAMPLER_ARG ?? '1');
  const share = ratio >= 0 && ratio <= 1 ? ratio : 1;
  const roots: Record<string, () => Sampler> = {
    always_on: () => new AlwaysOnSampler(),
    always_off: () => new AlwaysOffSampler(),
    traceidratio: () => new TraceIdRatioBasedSampler(share),
  };
  const root = roots[name.replace(/^parentbased_/, '')] ?? (() => new AlwaysOnSampler());
  return name in roots ? root() : new ParentBasedSampler({ root: root() });
}

function propagatorFrom(env: NodeJS.ProcessEnv): TextMapPropagator | undefined {
  const names = (env.OTEL_PROPAGATORS ?? 'tracecontext,baggage').split(',').map((name) => name.trim());
  const propagators: TextMapPropagator[] = [];
  if (names.includes('tracecontext')) propagators.push(new W3CTraceContextPropagator());
  if (names.includes('baggage')) propagators.push(new W3CBaggagePropagator());
  return propagators.length > 0 ? new CompositePropagator({ propagators }) : undefined;
}

/** Without the command line's arguments, which carry keys and tokens often enough. */
function resourceAttributes(): Attributes {
  const script = process.argv[1];
  const service = process.env.OTEL_SERVICE_NAME?.trim();
  return {
    'telemetry.distro.name': 'spanwarden',
    'telemetry.distro.version': version,
    'host.name': hostname(),
    'process.pid': process.pid,
    'process.executable.name': basename(process.execPath),
    'process.runtime.name': 'nodejs',
    'process.runtime.version': process.versions.node,
    ...(script !== undefined && { 'process.command': script }),
    ...keyValues(process.env.OTEL_RESOURCE_ATTRIBUTES),
    ...(service && { 'service.name': service }),
  };
}
