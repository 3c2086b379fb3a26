import { z } from 'zod';
import { Secret } from '../model/secret.ts';

const port = z.int().min(0).max(65_535).default(0);

/** Section `clickhouse:` of the config: where spans and findings are kept. */
export const clickhouseConfigSchema = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/, error: 'must be an http or https URL, for example https://clickhouse.example:8443' })
      .optional()
      .describe(
        'HTTP address of a ClickHouse of yours (24.8 or newer), for example https://clickhouse.example:8443. Default ' +
          'none: an embedded ClickHouse is started in the data directory.',
      ),
    username: z
      .string()
      .min(1)
      .default('default')
      .describe(
        'User on the server that url names. Default default. It needs CREATE, ALTER, SELECT and INSERT on database.',
      ),
    password: z
      .string()
      .transform((text) => new Secret(text))
      .optional()
      .describe('Password of username. Default none. Write it as ${env:NAME} or ${file:path}.'),
    database: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'takes letters, digits and _, at most 64, and no digit first')
      .default('spanwarden')
      .describe('Database of all tables; it is created when it does not exist. Default spanwarden.'),
    ttl_days: z
      .int()
      .min(1)
      .max(3_650)
      .default(30)
      .describe(
        'Days after which spans and logs are dropped, by whole days. Default 30. A new value also holds for rows that ' +
          'are there already. Spans older than this are stored at the edge of the range.',
      ),
    findings_ttl_days: z
      .int()
      .min(1)
      .max(3_650)
      .default(365)
      .describe('Days after which findings and cases are dropped. Default 365.'),
    embedded: z
      .strictObject({
        http_port: port.describe(
          'Loopback port of the embedded server for HTTP. Default 0: the port of the last start if it is free, else any.',
        ),
        tcp_port: port.describe(
          "Loopback port of the embedded server for ClickHouse's native protocol. Default 0, as with http_port.",
        ),
        memory_max_mb: z
          .int()
          .min(512)
          .max(1_048_576)
          .default(1_024)
          .describe(
            'Memory in MiB that the embedded server may use. Default 1024. Queries over it fail; inserts are retried.',
          ),
      })
      .prefault({})
      .describe('The embedded server; without effect when url is set.'),
  })
  .prefault({})
  .describe('ClickHouse, where spans and findings are kept.');

export type ClickhouseConfig = z.infer<typeof clickhouseConfigSchema>;

/** Section `store:` of the config: how spans are kept. */
export const storeConfigSchema = z
  .strictObject({
    messages: z
      .enum(['full', 'once'])
      .default('full')
      .describe(
        'How the messages that calls of a model send are stored. full (default): with every span, as they came, so that other tools read ' +
          'spans unchanged. once: each message of a conversation once a day, in otel_messages, and spans name it by its hash; the ' +
          'view otel_traces_full has the whole spans. Either way backtests and explanations see the same. See docs/messages.md.',
      ),
  })
  .prefault({})
  .describe('How spans are kept in ClickHouse.');
