import { type AlertSpec, increase, lagMinutes, newestGauge } from './spec.ts';

const hourMinutes = 60;
const lagSeconds = lagMinutes * 60;

export const exportAlerts: readonly AlertSpec[] = [
  {
    uid: 'spanwarden-export-stuck',
    title: 'Export is stuck',
    severity: 'critical',
    query: newestGauge('spanwarden_export_lag_seconds', 'destination'),
    windowSeconds: lagSeconds,
    threshold: { type: 'gt', value: 900 },
    for: '5m',
    noData: 'OK',
    onError: 'KeepLast',
    summary: 'Findings wait {{ humanizeDuration $values.B.Value }} for {{ $labels.destination }}',
    description:
      'Collector {{ $labels.collector }}. They are kept and sent when it takes them; until then nobody there sees them.',
    runbook: 'export is stuck',
  },
  {
    uid: 'spanwarden-export-misconfigured',
    title: 'Export destination is misconfigured',
    severity: 'critical',
    query: { file: 'alerts/export-misconfigured', words: {} },
    windowSeconds: lagSeconds,
    threshold: { type: 'gt', value: 0 },
    for: '5m',
    noData: 'OK',
    onError: 'KeepLast',
    summary: '{{ $labels.destination }} is misconfigured or stopped',
    description: 'Collector {{ $labels.collector }}. `spanwarden export status` says what it answers.',
    runbook: 'export destination is misconfigured',
  },
  {
    uid: 'spanwarden-export-dead-letters',
    title: 'Export has dead letters',
    severity: 'warning',
    query: increase('spanwarden_export_refused_events_total', 'destination', hourMinutes),
    windowSeconds: hourMinutes * 60 + lagSeconds,
    threshold: { type: 'gt', value: 0 },
    for: '0s',
    noData: 'OK',
    onError: 'KeepLast',
    summary: '{{ $labels.destination }} will never take {{ humanize $values.B.Value }} events',
    description:
      'Collector {{ $labels.collector }}. They are in the dead letters of the destination, and can be sent again.',
    runbook: 'export has dead letters',
  },
];
