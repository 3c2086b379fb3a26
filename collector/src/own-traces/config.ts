import { z } from 'zod';
import { Secret } from '../model/secret.ts';
import { ownMetricsConfigSchema } from '../own-metrics/config.ts';

const headersMax = 32;

/** Section `telemetry:` of the config: what the collector tells of itself, beside its log and /metrics. */
export const telemetryConfigSchema = z
  .strictObject({
    metrics: ownMetricsConfigSchema,
    traces: z
      .strictObject({
        endpoint: z
          .url({ protocol: /^https?$/, error: 'must be a URL such as http://127.0.0.1:4318/v1/traces' })
          .describe(
            'Where spans of its own work are sent to over OTLP/HTTP, with the path. It may be the collector itself or another ' +
              'Spanwarden: what carries such spans makes no further ones.',
          ),
        ratio: z
          .number()
          .min(0)
          .max(1)
          .default(0.01)
          .describe('Share of requests and segments that spans are made of, 0 to 1. Default 0.01.'),
        headers: z
          .record(
            z.string().regex(/^[A-Za-z0-9-]{1,128}$/, 'must be the name of a header'),
            z
              .string()
              .min(1)
              .transform((text) => new Secret(text)),
          )
          .refine((headers) => Object.keys(headers).length <= headersMax, `at most ${headersMax} headers`)
          .default({})
          .describe(
            'Headers that go with them, such as authorization: Bearer …. Default none. Write secrets as ${env:NAME} or ${file:path}.',
          ),
      })
      .optional()
      .describe('Spans of its own work: sizes and times, no content. Default none.'),
  })
  .prefault({})
  .describe('What the collector tells of its own work, beside its log and /metrics.');

export type TelemetryConfig = z.infer<typeof telemetryConfigSchema>;

export type OwnTracesConfig = NonNullable<TelemetryConfig['traces']>;
