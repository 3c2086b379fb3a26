import { z } from 'zod';
import { detectConfigSchema } from '../detect/config.ts';
import { eventsOf, exportConfigSchema } from '../export/config.ts';
import { teeConfigSchema } from '../export/tee/config.ts';
import { limitsConfigSchema, memoryBytes } from '../memory-limit/config.ts';
import { redactionProfiles } from '../model/redaction.ts';
import { telemetryConfigSchema } from '../own-traces/config.ts';
import { pricesConfigSchema } from '../prices/config.ts';
import { receiveConfigSchema } from '../receive/config.ts';
import { redactConfigSchema } from '../redact/config.ts';
import { spoolConfigSchema } from '../spool/config.ts';
import { clickhouseConfigSchema, storeConfigSchema } from '../store/config.ts';
import { teeProblems } from './tee-checks.ts';

/** Levels of the collector's own log, quietest last. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;

/**
 * The whole of `spanwarden.yaml`. Each stage brings its section; types, defaults, checks, docs/configuration.md and
 * docs/spanwarden.schema.json all come from here.
 */
export const configSchema = z
  .strictObject({
    data_dir: z
      .string()
      .min(1)
      .default('./spanwarden-data')
      .describe(
        'Folder for everything that is kept: spool, embedded ClickHouse, its passwords. Default ./spanwarden-data, ' +
          'seen from the working directory. It is created with mode 700 and belongs to one collector at a time.',
      ),
    log: z
      .strictObject({
        level: z
          .enum(logLevels)
          .default('info')
          .describe('Least level that is logged. Default info. The log is JSON on stderr and never holds content.'),
      })
      .prefault({})
      .describe("The collector's own log."),
    limits: limitsConfigSchema,
    receive: receiveConfigSchema,
    detect: detectConfigSchema,
    prices: pricesConfigSchema,
    redact: redactConfigSchema,
    spool: spoolConfigSchema,
    clickhouse: clickhouseConfigSchema,
    store: storeConfigSchema,
    export: exportConfigSchema,
    tee: teeConfigSchema,
    telemetry: telemetryConfigSchema,
  })
  .superRefine(({ limits, spool }, context) => {
    const bytesMax = Math.floor(memoryBytes(limits.memory) / 8);
    for (const key of ['segment_bytes_max', 'pending_bytes_max'] as const) {
      const bytes = spool[key] ?? 0;
      if (bytes <= bytesMax) continue;
      const message =
        `limits.memory of ${limits.memory} is too small for spool.${key} of ${bytes}, which may be an eighth of it: ` +
        `set limits.memory to ${Math.ceil((bytes * 8) / 2 ** 20)}MiB, or ${key} to at most ${bytesMax}`;
      context.addIssue({ code: 'custom', path: ['spool', key], message });
    }
  })
  .superRefine(({ redact, export: { destinations } }, context) => {
    for (const [name, destination] of Object.entries(destinations)) {
      const { redact: profile } = destination;
      if (profile === undefined) continue;
      const stored = eventsOf(destination).map((table) => ({ table, as: redact.tables[table] ?? redact.profile }));
      const stricter = stored.find(({ as }) => redactionProfiles.indexOf(profile) < redactionProfiles.indexOf(as));
      if (stricter === undefined) continue;
      const message = `${profile} is looser than ${stricter.as}, as ${stricter.table} are stored: what is taken out there cannot be sent`;
      context.addIssue({ code: 'custom', path: ['export', 'destinations', name, 'redact'], message });
    }
  })
  .superRefine((config, context) => {
    for (const { path, message } of teeProblems(config)) {
      context.addIssue({ code: 'custom', path: [...path], message });
    }
  })
  .describe('Configuration of the Spanwarden collector.');

/** A checked configuration with every default filled in, frozen through and through. */
export type Config = z.infer<typeof configSchema>;

/** JSON Schema (draft 2020-12) of what users write, for editors and for the generated page. */
export function configJsonSchema(): JsonSchema {
  return z.toJSONSchema(configSchema, { io: 'input' }) as JsonSchema;
}

/** The part of JSON Schema that zod writes for our sections. */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  /** Objects that a constant member, such as `type`, tells from each other. */
  readonly oneOf?: readonly JsonSchema[];
  readonly propertyNames?: JsonSchema;
}
