import type { Metrics } from '../metrics.ts';
import type { OwnResource } from '../own-resource.ts';
import type { TelemetryConfig } from './config.ts';
import type { ExportingLogger } from './exporting.ts';
import type { OwnWork } from './own-traces.ts';

export type { OwnWork } from './own-traces.ts';

/** Without an endpoint nothing is put around anything, and OpenTelemetry's SDK is not even loaded. */
export async function openOwnTraces(
  { traces }: TelemetryConfig,
  resource: OwnResource,
  metrics: Pick<Metrics, 'gauge'>,
  logger: ExportingLogger,
): Promise<OwnWork> {
  if (traces === undefined) return none;
  const [{ OwnTraces }, { openExporting }] = await Promise.all([import('./own-traces.ts'), import('./exporting.ts')]);
  return new OwnTraces(openExporting(traces, resource, metrics, logger));
}

const none: OwnWork = {
  consume: (consume) => consume,
  observer: (observer) => observer,
  log: (log) => log,
  segments: (source) => source,
  hooks: (hooks) => hooks,
  stop: async () => undefined,
};
