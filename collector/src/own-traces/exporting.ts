import type { Tracer } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Metrics } from '../metrics.ts';
import type { OwnResource } from '../own-resource.ts';
import type { OwnTracesConfig } from './config.ts';

/** The scope of all spans made here, by which any Spanwarden knows them. */
export const ownScope = 'spanwarden.collector';

export interface Exporting {
  readonly tracer: Tracer;
  /** Sends what waits, within a second. */
  stop(): Promise<void>;
}

export interface ExportingLogger {
  warn(fields: object, message: string): void;
}

/** Spans that wait; further ones are dropped. */
const queueSpansMax = 2048;
const batchSpansMax = 512;
const delayMs = 2_000;
const answerMs = 10_000;
const stopMs = 1_000;

/** Nothing of it is registered for the process: spans of others do not come here. */
export function openExporting(
  { endpoint, ratio, headers }: OwnTracesConfig,
  resource: OwnResource,
  metrics: Pick<Metrics, 'gauge'>,
  logger: ExportingLogger,
): Exporting {
  const shown = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.reveal()]));
  const exporter = counted(
    new OTLPTraceExporter({ url: endpoint, headers: shown, timeoutMillis: answerMs }),
    metrics,
    logger,
  );
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ ...resource }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter,
        maxQueueSize: queueSpansMax,
        maxExportBatchSize: batchSpansMax,
        scheduledDelayMillis: delayMs,
        exportTimeoutMillis: answerMs,
      }),
    ],
  });
  return {
    tracer: provider.getTracer(ownScope, resource['service.version']),
    stop: async () => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((done) => {
        timer = setTimeout(done, stopMs);
      });
      await Promise.race([provider.shutdown().catch(() => undefined), late]);
      clearTimeout(timer);
    },
  };
}

/** Counts what becomes of spans, and says once for each episode that they cannot be sent. */
function counted(exporter: SpanExporter, { gauge }: Pick<Metrics, 'gauge'>, logger: ExportingLogger): SpanExporter {
  let [exported, failed, isFailing] = [0, 0, false];
  gauge('spanwarden_telemetry_exported_spans', 'Spans of the own work that were sent.', () => exported);
  gauge('spanwarden_telemetry_failed_spans', 'Spans of the own work that could not be sent.', () => failed);
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        const isSent = result.code === 0;
        if (isSent) exported += spans.length;
        else failed += spans.length;
        if (!isSent && !isFailing)
          logger.warn({ err: result.error }, 'telemetry.traces: spans cannot be sent; they are dropped');
        isFailing = !isSent;
        done(result);
      }),
    forceFlush: async () => exporter.forceFlush?.(),
    shutdown: () => exporter.shutdown(),
  };
}
