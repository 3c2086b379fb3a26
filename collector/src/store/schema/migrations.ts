import { activityTables, definitionsByHash } from './activity-tables.ts';
import { caseTables } from './case-tables.ts';
import { decisionColumns } from './decision-columns.ts';
import { exportColumns } from './export-columns.ts';
import { findingsAsGrafanaLogs, findingsTables } from './findings-tables.ts';
import { historyColumns, shardedTraceColumns } from './history-columns.ts';
import type { Layout } from './layout.ts';
import { messageTables, spreadSpansView, wholeSpansView } from './message-tables.ts';
import { otelMetrics } from './metric-tables.ts';
import { otelLogs, otelTraces } from './otel-tables.ts';
import type { RetentionOptions } from './retention.ts';
import { ruleHealthTables } from './rule-health-tables.ts';
import { sessionColumns } from './session-columns.ts';

export interface SchemaOptions extends RetentionOptions {
  /** An identifier that needs no quotes. */
  readonly database: string;
  /** Undefined for one server. */
  readonly layout?: Layout | undefined;
}

export interface Migration {
  /** 1, 2, 3 …; never changed once released. */
  readonly version: number;
  readonly name: string;
  /** Statements in order; each may run again after a crash halfway, so each says IF NOT EXISTS or the like. */
  statements(options: SchemaOptions): string[];
  /** A table that shards need for rows to come in, and its columns. */
  readonly throughShards?: { readonly table: string; readonly columns: string };
}

/** Append only: a released migration stays as it is, a change of the schema is a new one at the end. */
export const migrations: readonly Migration[] = [
  { version: 1, name: 'otel_traces', statements: (options) => otelTraces(options.database, options.ttlDays) },
  { version: 2, name: 'otel_logs', statements: (options) => otelLogs(options.database, options.ttlDays) },
  { version: 3, name: 'findings', statements: (options) => findingsTables(options.database, options.findingsTtlDays) },
  {
    version: 4,
    name: 'rule_health',
    statements: (options) => ruleHealthTables(options.database, options.findingsTtlDays),
  },
  { version: 5, name: 'cases', statements: (options) => caseTables(options.database, options.findingsTtlDays) },
  {
    version: 6,
    name: 'history',
    statements: (options) => historyColumns(options.database),
    throughShards: { table: 'otel_traces', columns: shardedTraceColumns },
  },
  { version: 7, name: 'sessions', statements: (options) => sessionColumns(options.database) },
  { version: 8, name: 'messages', statements: (options) => messageTables(options.database, options.ttlDays) },
  { version: 9, name: 'metrics', statements: (options) => otelMetrics(options.database, options.ttlDays) },
  { version: 10, name: 'lists', statements: (options) => wholeSpansView(options.database) },
  { version: 11, name: 'exports', statements: (options) => exportColumns(options.database) },
  {
    version: 12,
    name: 'activity',
    statements: (options) => activityTables(options.database, options.findingsTtlDays),
  },
  { version: 13, name: 'decisions', statements: (options) => decisionColumns(options.database) },
  { version: 14, name: 'finding_lines', statements: (options) => findingsAsGrafanaLogs(options.database) },
  { version: 15, name: 'keyed_lists', statements: (options) => spreadSpansView(options.database) },
  { version: 16, name: 'definitions', statements: (options) => definitionsByHash(options.database) },
];
