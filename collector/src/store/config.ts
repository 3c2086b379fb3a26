import { z } from 'zod';
import { Secret } from '../model/secret.ts';
import type { ClientOptions } from './client.ts';
import type { SchemaOptions } from './schema/migrations.ts';
import type { TtlTable } from './schema/retention.ts';

const days = z.int().min(1).max(3_650);
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
    ttl_days: days
      .default(30)
      .describe(
        'Days after which spans and logs are dropped, by whole days. Default 30. A new value also holds for rows that ' +
          'are there already. What is older than the longest of these and ttl is stored at the edge of that range.',
      ),
    findings_ttl_days: days.default(365).describe('Days after which findings and cases are dropped. Default 365.'),
    ttl: z
      .strictObject({
        otel_traces: days.optional().describe('Days of spans, and of their messages. Default: ttl_days.'),
        otel_logs: days.optional().describe('Days of log records. Default: ttl_days.'),
        otel_metrics_gauge: days.optional().describe('Days of gauges. Default: ttl_days.'),
        otel_metrics_sum: days.optional().describe('Days of sums. Default: ttl_days.'),
        otel_metrics_histogram: days.optional().describe('Days of histograms. Default: ttl_days.'),
        otel_metrics_exponential_histogram: days
          .optional()
          .describe('Days of exponential histograms. Default: ttl_days.'),
        otel_metrics_summary: days.optional().describe('Days of summaries. Default: ttl_days.'),
        findings: days.optional().describe('Days of findings, and of the marks on them. Default: findings_ttl_days.'),
        cases: days.optional().describe('Days of cases, and of what was done about them. Default: findings_ttl_days.'),
        rule_stats: days.optional().describe('Days of what rules were asked and found. Default: findings_ttl_days.'),
        agent_activity: days
          .optional()
          .describe('Days of what spans add up to: by agent, by session, by value. Default: findings_ttl_days.'),
        seen_fields: days.optional().describe('Days of which fields arrived. Default: findings_ttl_days.'),
      } satisfies Record<TtlTable, z.ZodType>)
      .prefault({})
      .describe(
        'Days of single tables, where they differ from ttl_days and findings_ttl_days. Brought to the tables at start.',
      ),
    cluster: z
      .strictObject({
        name: z
          .string()
          .regex(/^[A-Za-z0-9_.-]{1,64}$/, 'takes letters, digits, _ . and -, at most 64')
          .describe('Name of the cluster in remote_servers of your servers.'),
        mode: z
          .enum(['replicated', 'sharded'])
          .describe(
            'replicated: one shard, every server has every row. sharded: rows lie on the shard of their conversation or trace, ' +
              'and tables read all shards.',
          ),
      })
      .optional()
      .describe(
        'The cluster that url is a server of. Default none: one server. It needs ClickHouse Keeper and the macros shard and ' +
          'replica; see docs/clickhouse.md. Not to be changed once there are tables.',
      ),
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
  .refine(({ url, cluster }) => cluster === undefined || url !== undefined, {
    path: ['cluster'],
    error: 'needs clickhouse.url: the embedded server is no cluster',
  })
  .prefault({})
  .describe('ClickHouse, where spans and findings are kept.');

export type ClickhouseConfig = z.infer<typeof clickhouseConfigSchema>;

export function schemaOptions(config: ClickhouseConfig): SchemaOptions {
  const { database, ttl_days, findings_ttl_days, ttl, cluster } = config;
  const layout = cluster && { cluster: cluster.name, mode: cluster.mode };
  return { database, ttlDays: ttl_days, findingsTtlDays: findings_ttl_days, ttl, layout };
}

/** What connects to the server that the config names; undefined when it names none. */
export function ownServer({ url, username, password, database, cluster }: ClickhouseConfig): ClientOptions | undefined {
  if (url === undefined) return undefined;
  return { url, username, password: password?.reveal() ?? '', database, isSharded: cluster?.mode === 'sharded' };
}

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
