import { z } from 'zod';

/** `telemetry.metrics` of the config. */
export const ownMetricsConfigSchema = z
  .strictObject({
    interval_ms: z
      .union([z.literal('off'), z.int().min(1_000).max(300_000)], {
        error: 'must be off or milliseconds from 1000 to 300000, for example 60000',
      })
      .default(60_000)
      .describe(
        'How often what /metrics shows is written to the tables otel_metrics_*, in milliseconds, or off. Default 60000. ' +
          'Grafana’s alerts about the collector and its dashboards read it there; alerts about a silent collector need 300000 or less.',
      ),
  })
  .prefault({})
  .describe('Its own metrics, stored as those of the service spanwarden-collector.');

export type OwnMetricsConfig = z.infer<typeof ownMetricsConfigSchema>;
