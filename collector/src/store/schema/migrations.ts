import { caseTables } from './case-tables.ts';
import { findingsTables } from './findings-tables.ts';
import { historyColumns } from './history-columns.ts';
import { messageTables } from './message-tables.ts';
import { metricTables, otelMetrics } from './metric-tables.ts';
import { otelLogs, otelTraces } from './otel-tables.ts';
import { ruleHealthTables } from './rule-health-tables.ts';
import { sessionColumns } from './session-columns.ts';

export interface SchemaOptions {
  /** An identifier that needs no quotes. */
  readonly database: string;
  readonly ttlDays: number;
  readonly findingsTtlDays: number;
}

export interface Migration {
  /** 1, 2, 3 …; never changed once released. */
  readonly version: number;
  readonly name: string;
  /** Statements in order; each may run again after a crash halfway, so each says IF NOT EXISTS or the like. */
  statements(options: SchemaOptions): string[];
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
  { version: 6, name: 'history', statements: (options) => historyColumns(options.database) },
  { version: 7, name: 'sessions', statements: (options) => sessionColumns(options.database) },
  { version: 8, name: 'messages', statements: (options) => messageTables(options.database, options.ttlDays) },
  { version: 9, name: 'metrics', statements: (options) => otelMetrics(options.database, options.ttlDays) },
];

/** Which tables keep rows for how long, and the day they are counted from. */
export function retention(options: SchemaOptions): readonly { table: string; ttl: string }[] {
  const { ttlDays, findingsTtlDays } = options;
  return [
    { table: 'otel_traces', ttl: `toDate(Timestamp) + toIntervalDay(${ttlDays})` },
    { table: 'otel_traces_trace_id_ts', ttl: `toDate(Start) + toIntervalDay(${ttlDays})` },
    { table: 'otel_logs', ttl: `toDate(Timestamp) + toIntervalDay(${ttlDays})` },
    { table: 'otel_messages', ttl: `Day + toIntervalDay(${ttlDays})` },
    ...metricTables.map((table) => ({ table, ttl: `toDate(TimeUnix) + toIntervalDay(${ttlDays})` })),
    { table: 'findings', ttl: `toDate(Timestamp) + toIntervalDay(${findingsTtlDays})` },
    { table: 'cases', ttl: `Day + toIntervalDay(${findingsTtlDays})` },
    { table: 'case_events', ttl: `toDate(At) + toIntervalDay(${findingsTtlDays})` },
    { table: 'rule_stats', ttl: `toDate(Hour) + toIntervalDay(${findingsTtlDays})` },
    { table: 'seen_fields', ttl: `Day + toIntervalDay(${findingsTtlDays})` },
    { table: 'finding_marks', ttl: `toDate(MarkedAt) + toIntervalDay(${findingsTtlDays})` },
  ];
}
