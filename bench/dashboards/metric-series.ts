/** Series of the collector's own metrics, as a collector with three destinations has them. */
export interface Series {
  readonly kind: 'sum' | 'gauge' | 'histogram';
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

const destinations = ['siem', 'pager', 'archive'];
const states = ['ok', 'retrying', 'misconfigured', 'stopped'];

const plain = (kind: Series['kind'], ...names: readonly string[]): Series[] =>
  names.map((name) => ({ kind, name: `spanwarden_${name}`, attributes: {} }));

const labelled = (kind: Series['kind'], name: string, label: string, values: readonly string[]): Series[] =>
  values.map((value) => ({ kind, name: `spanwarden_${name}`, attributes: { [label]: value } }));

export const ownSeries: readonly Series[] = [
  ...plain('sum', 'receive_accepted_spans_total', 'receive_rejected_spans_total', 'receive_accepted_log_records_total'),
  ...plain('sum', 'receive_rejected_log_records_total', 'receive_accepted_data_points_total'),
  ...plain('sum', 'receive_rejected_data_points_total', 'receive_resent_batches_total', 'detect_errors_total'),
  ...plain(
    'sum',
    'store_segments_total',
    'store_retries_total',
    'store_restored_rows_total',
    'store_dead_letter_rows_total',
  ),
  ...labelled('sum', 'receive_requests_total', 'code', ['200', '400', '401', '429', '503']),
  ...labelled('sum', 'receive_refused_requests_total', 'reason', ['memory', 'spool', 'token']),
  ...labelled('sum', 'detect_findings_total', 'level', ['low', 'medium', 'high', 'critical']),
  ...labelled('sum', 'store_rows_total', 'table', ['otel_traces', 'otel_logs', 'findings', 'cases', 'rule_stats']),
  ...['delivered_events', 'refused_events', 'filtered_events', 'retries', 'lost_records'].flatMap((name) =>
    labelled('sum', `export_${name}_total`, 'destination', destinations),
  ),
  ...plain(
    'gauge',
    'spool_bytes',
    'spool_segments',
    'spool_oldest_age_seconds',
    'spool_pending_bytes',
    'receive_held_bytes',
  ),
  ...plain('gauge', 'spool_set_aside_bytes', 'spool_reserve_released', 'rules_active', 'rules_disabled', 'rules_stale'),
  ...plain('gauge', 'receive_connections', 'receive_last_span_timestamp_seconds', 'store_clamped_spans'),
  ...['resident_bytes', 'heap_bytes', 'buffer_bytes', 'limit_bytes'].flatMap((name) =>
    plain('gauge', `memory_${name}`),
  ),
  ...['late_events', 'hurried_events', 'evicted_groups', 'dropped_events'].flatMap((name) =>
    plain('gauge', `correlate_${name}`),
  ),
  ...plain('gauge', 'sessions_evicted', 'cases_evicted', 'repeats_forgotten_spans', 'join_hurried'),
  ...['lag_seconds', 'behind', 'waiting_events', 'dead_letters', 'last_success_timestamp_seconds'].flatMap((name) =>
    labelled('gauge', `export_${name}`, 'destination', destinations),
  ),
  ...destinations.flatMap((destination) =>
    states.map(
      (state): Series => ({ kind: 'gauge', name: 'spanwarden_export_state', attributes: { destination, state } }),
    ),
  ),
  ...plain('histogram', 'receive_ack_seconds', 'receive_accepted_seconds', 'store_lag_seconds'),
];
