import { type AlertSpec, increase, lagMinutes, newestGauge } from './spec.ts';

const lagSeconds = lagMinutes * 60;
const quarterMinutes = 15;
const hourMinutes = 60;

export const collectorAlerts: readonly AlertSpec[] = [
  {
    uid: 'spanwarden-collector-silent',
    title: 'Collector is silent',
    severity: 'critical',
    query: { file: 'alerts/collector-silent', words: {} },
    windowSeconds: 86_400,
    threshold: { type: 'gt', value: 600 },
    for: '5m',
    // Nothing for a whole day, or a ClickHouse that does not answer: the one place where nobody knowing anything is said.
    noData: 'Alerting',
    onError: 'Alerting',
    summary: 'A collector has written no metrics of its own for 10 minutes',
    description:
      'Collector {{ $labels.collector }}: it does not run, ClickHouse takes nothing from it or cannot be asked, or ' +
      'telemetry.metrics.interval_ms is off. Nothing is detected while it does not run. One that was taken away for good ends the alert ' +
      'after a day.',
    runbook: 'collector is silent',
    panel: { dashboardUid: 'spanwarden-findings', id: 3 },
  },
  {
    uid: 'spanwarden-store-lag',
    title: 'ClickHouse is behind',
    severity: 'warning',
    query: newestGauge('spanwarden_spool_oldest_age_seconds', 'of'),
    windowSeconds: lagSeconds,
    threshold: { type: 'gt', value: 300 },
    for: '5m',
    noData: 'OK',
    onError: 'KeepLast',
    summary: 'Rows wait {{ humanizeDuration $values.B.Value }} for ClickHouse',
    description:
      'Collector {{ $labels.collector }}: dashboards and alerts are as late. Nothing is lost while the spool has room.',
    runbook: 'clickhouse is behind',
  },
  {
    uid: 'spanwarden-spool-filling',
    title: 'Spool is filling',
    severity: 'critical',
    query: { file: 'alerts/spool-filling', words: {} },
    windowSeconds: lagSeconds,
    // Above a half own metrics are no longer written.
    threshold: { type: 'gt', value: 0.25 },
    for: '5m',
    noData: 'OK',
    onError: 'KeepLast',
    summary: 'More than a quarter of the spool is in use',
    description:
      'Collector {{ $labels.collector }}: {{ humanizePercentage $values.B.Value }} of it. When it is full, or the disk is, senders get 503.',
    runbook: 'spool is filling',
  },
  {
    uid: 'spanwarden-store-dead-letters',
    title: 'ClickHouse refused rows',
    severity: 'warning',
    query: increase('spanwarden_store_dead_letter_rows_total', 'of', hourMinutes),
    windowSeconds: hourMinutes * 60 + lagSeconds,
    threshold: { type: 'gt', value: 0 },
    for: '0s',
    noData: 'OK',
    onError: 'KeepLast',
    summary: '{{ humanize $values.B.Value }} rows are dead letters',
    description:
      'Collector {{ $labels.collector }}: ClickHouse will never take them as they are. They are kept in the spool.',
    runbook: 'clickhouse refused rows',
  },
  {
    uid: 'spanwarden-requests-refused',
    title: 'Requests are refused',
    severity: 'warning',
    query: increase('spanwarden_receive_refused_requests_total', 'reason', quarterMinutes),
    windowSeconds: quarterMinutes * 60 + lagSeconds,
    threshold: { type: 'gt', value: 0 },
    for: '10m',
    noData: 'OK',
    onError: 'KeepLast',
    summary: 'Senders are told to come again later',
    description:
      'Collector {{ $labels.collector }}: {{ humanize $values.B.Value }} requests, for {{ $labels.reason }}. Senders that give up lose spans.',
    runbook: 'requests are refused',
  },
  {
    uid: 'spanwarden-tls-expiry',
    title: 'Certificate expires',
    severity: 'warning',
    query: { file: 'alerts/tls-expiry', words: {} },
    windowSeconds: lagSeconds,
    threshold: { type: 'lt', value: 14 },
    for: '0s',
    noData: 'OK',
    onError: 'KeepLast',
    summary: 'The certificate of a collector expires in {{ humanize $values.B.Value }} days',
    description: 'Collector {{ $labels.collector }}: senders cannot connect after that.',
    runbook: 'certificate expires',
  },
];
