import type { RowTableName } from '../../model/spool.ts';
import { casesColumns } from '../rows/cases.ts';
import { findingsColumns } from '../rows/findings.ts';
import { messagesColumns } from '../rows/messages.ts';
import { otelLogsColumns } from '../rows/otel-logs.ts';
import { metricColumns } from '../rows/otel-metrics.ts';
import { otelTracesColumns, ownTracesColumns } from '../rows/otel-traces.ts';
import { ruleStatesColumns, ruleStatsColumns, seenFieldsColumns } from '../rows/rule-health.ts';

/** The columns that the rows of each table carry, in the order in which they are encoded. */
export const insertColumns: Readonly<Record<RowTableName, readonly string[]>> = {
  otel_traces: [...otelTracesColumns, ...ownTracesColumns],
  otel_logs: otelLogsColumns,
  otel_messages: messagesColumns,
  otel_metrics_gauge: metricColumns.gauge,
  otel_metrics_sum: metricColumns.sum,
  otel_metrics_histogram: metricColumns.histogram,
  otel_metrics_exponential_histogram: metricColumns.exponential_histogram,
  otel_metrics_summary: metricColumns.summary,
  findings: findingsColumns,
  cases: casesColumns,
  rule_stats: ruleStatsColumns,
  seen_fields: seenFieldsColumns,
  rule_states: ruleStatesColumns,
};

/** How many there are in each table; what a segment notes of its rows. */
export const columnCounts = Object.fromEntries(
  Object.entries(insertColumns).map(([table, columns]) => [table, columns.length]),
) as Readonly<Record<RowTableName, number>>;
