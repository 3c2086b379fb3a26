import { metricTables } from './metric-tables.ts';

const telemetryTables = ['otel_traces', 'otel_logs', ...metricTables] as const;
const verdictTables = ['findings', 'cases', 'rule_stats', 'seen_fields', 'agent_activity'] as const;

/** Tables that can have a retention of their own; what belongs to one of them is kept as long as it. */
export const ttlTables = [...telemetryTables, ...verdictTables] as const;
export type TtlTable = (typeof ttlTables)[number];

/** Whole days. */
export interface RetentionOptions {
  /** Of spans, logs and metrics. */
  readonly ttlDays: number;
  /** Of findings, cases, what rules did and what spans add up to. */
  readonly findingsTtlDays: number;
  /** Of single tables, where it differs. */
  readonly ttl?: Partial<Readonly<Record<TtlTable, number | undefined>>>;
}

export function tableDays(table: TtlTable, { ttlDays, findingsTtlDays, ttl }: RetentionOptions): number {
  const isTelemetry = (telemetryTables as readonly string[]).includes(table);
  return ttl?.[table] ?? (isTelemetry ? ttlDays : findingsTtlDays);
}

/** Of the spans, logs or metrics that are kept longest. */
export function telemetryDaysMax(options: RetentionOptions): number {
  return Math.max(...telemetryTables.map((table) => tableDays(table, options)));
}

/** Which tables keep rows for how long, and the day they are counted from. */
export function retention(options: RetentionOptions): readonly { table: string; ttl: string }[] {
  const kept = (table: string, day: string, as: TtlTable) => ({
    table,
    ttl: `${day} + toIntervalDay(${tableDays(as, options)})`,
  });
  return [
    kept('otel_traces', 'toDate(Timestamp)', 'otel_traces'),
    kept('otel_traces_trace_id_ts', 'toDate(Start)', 'otel_traces'),
    kept('otel_messages', 'Day', 'otel_traces'),
    kept('otel_logs', 'toDate(Timestamp)', 'otel_logs'),
    ...metricTables.map((table) => kept(table, 'toDate(TimeUnix)', table)),
    kept('findings', 'toDate(Timestamp)', 'findings'),
    kept('finding_marks', 'toDate(MarkedAt)', 'findings'),
    kept('cases', 'Day', 'cases'),
    kept('case_events', 'toDate(At)', 'cases'),
    kept('rule_stats', 'toDate(Hour)', 'rule_stats'),
    kept('seen_fields', 'Day', 'seen_fields'),
    kept('agent_activity', 'toDate(Time)', 'agent_activity'),
    kept('session_activity', 'Day', 'agent_activity'),
    kept('agent_values', 'toDate(Time)', 'agent_activity'),
  ];
}
