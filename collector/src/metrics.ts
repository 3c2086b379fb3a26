import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** The collector's own metrics: `spanwarden_<stage>_<noun>_<unit>_total`, labels from bounded sets only. */
export interface Metrics {
  readonly registry: Registry;
  readonly requests: Counter<'code'>;
  readonly acceptedSpans: Counter;
  readonly rejectedSpans: Counter;
  /** When spans were last handed on. */
  readonly lastSpans: Gauge;
  readonly acceptedLogs: Counter;
  readonly rejectedLogs: Counter;
  readonly acceptedPoints: Counter;
  readonly rejectedPoints: Counter;
  readonly malformed: Counter<'code'>;
  readonly resentBatches: Counter;
  readonly resentSpans: Counter;
  readonly resentLogs: Counter;
  readonly resentPoints: Counter;
  readonly decodedBytes: Counter<'encoding'>;
  readonly droppedRecords: Counter<'kind'>;
  readonly findings: Counter<'level'>;
  readonly detectErrors: Counter;
  readonly storedRows: Counter<'table'>;
  readonly storedSegments: Counter;
  readonly spanAgeSeconds: Histogram;
  readonly storeLagSeconds: Histogram;
  readonly storeRetries: Counter;
  readonly storeRestored: Counter;
  readonly deadLetters: Counter;
  readonly ackSeconds: Histogram;
  readonly acceptedSeconds: Histogram;
  /** A gauge read when somebody asks. */
  gauge(name: string, help: string, read: () => number): void;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = (name: string, help: string) => new Counter({ name, help, registers });
  const labelled = <L extends string>(name: string, help: string, label: L) =>
    new Counter<L>({ name, help, labelNames: [label], registers });
  return {
    registry,
    requests: labelled(
      'spanwarden_receive_requests_total',
      'OTLP requests answered, by HTTP status or gRPC code.',
      'code',
    ),
    acceptedSpans: counter('spanwarden_receive_accepted_spans_total', 'Spans decoded and handed on.'),
    rejectedSpans: counter('spanwarden_receive_rejected_spans_total', 'Spans refused through partial success.'),
    lastSpans: new Gauge({
      name: 'spanwarden_receive_last_span_timestamp_seconds',
      help: 'When spans were last handed on; 0 before.',
      registers,
    }),
    acceptedLogs: counter('spanwarden_receive_accepted_log_records_total', 'Log records decoded and handed on.'),
    rejectedLogs: counter(
      'spanwarden_receive_rejected_log_records_total',
      'Log records refused through partial success.',
    ),
    acceptedPoints: counter('spanwarden_receive_accepted_data_points_total', 'Data points decoded and handed on.'),
    rejectedPoints: counter(
      'spanwarden_receive_rejected_data_points_total',
      'Data points refused through partial success.',
    ),
    malformed: labelled('spanwarden_decode_malformed_requests_total', 'Requests that could not be decoded.', 'code'),
    resentBatches: counter('spanwarden_receive_resent_batches_total', 'Batches recognised as already stored.'),
    resentSpans: counter('spanwarden_receive_resent_spans_total', 'Spans recognised as stored with another batch.'),
    resentLogs: counter('spanwarden_receive_resent_log_records_total', 'Log records stored with another batch.'),
    resentPoints: counter('spanwarden_receive_resent_data_points_total', 'Data points stored with another batch.'),
    decodedBytes: labelled('spanwarden_decode_bytes_total', 'Bytes decoded, after decompression.', 'encoding'),
    droppedRecords: labelled(
      'spanwarden_decode_dropped_records_total',
      'Attributes, events and links left out because a limit was reached.',
      'kind',
    ),
    findings: labelled('spanwarden_detect_findings_total', 'Findings made, by level.', 'level'),
    detectErrors: counter('spanwarden_detect_errors_total', 'Batches whose detection failed; their spans were stored.'),
    storedRows: labelled('spanwarden_store_rows_total', 'Rows inserted into ClickHouse.', 'table'),
    storedSegments: counter('spanwarden_store_segments_total', 'Segments inserted into ClickHouse.'),
    storeRetries: counter('spanwarden_store_retries_total', 'Inserts tried again.'),
    storeRestored: counter(
      'spanwarden_store_restored_rows_total',
      'Rows sent once more because ClickHouse had noted their insert and lost it.',
    ),
    deadLetters: counter('spanwarden_store_dead_letter_rows_total', 'Rows set aside because ClickHouse refused them.'),
    ...histograms(registry),
    gauge(name, help, read) {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    },
  };
}

/** How long things take. */
function histograms(
  registry: Registry,
): Pick<Metrics, 'spanAgeSeconds' | 'storeLagSeconds' | 'ackSeconds' | 'acceptedSeconds'> {
  const registers = [registry];
  const lagBuckets = [0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 14_400];
  return {
    spanAgeSeconds: new Histogram({
      name: 'spanwarden_receive_span_age_seconds',
      help: 'Time from the end of the last span of a request until it was taken in, in seconds; the lag to the row goes on from there.',
      buckets: lagBuckets,
      registers,
    }),
    storeLagSeconds: new Histogram({
      name: 'spanwarden_store_lag_seconds',
      help: 'Time from taking in the first span of a segment until all of it is in ClickHouse, in seconds.',
      buckets: lagBuckets,
      registers,
    }),
    ackSeconds: new Histogram({
      name: 'spanwarden_receive_ack_seconds',
      help: 'Time from a decoded request to its acknowledgement, in seconds.',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    }),
    acceptedSeconds: new Histogram({
      name: 'spanwarden_receive_accepted_seconds',
      help: 'Time from the head of a request that was taken to the answer, in seconds: reading, waiting and disk included.',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2, 3, 5, 10, 30],
      registers,
    }),
  };
}
