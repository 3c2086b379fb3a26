import { type AlertSpec, increase, lagMinutes } from './spec.ts';

const hourMinutes = 60;
const windowSeconds = (hourMinutes + lagMinutes) * 60;
const ruleHealth = { dashboardUid: 'spanwarden-findings', id: 15 };

export const detectionAlerts: readonly AlertSpec[] = [
  {
    uid: 'spanwarden-detect-errors',
    title: 'Detection failed',
    severity: 'critical',
    query: increase('spanwarden_detect_errors_total', 'of', hourMinutes),
    windowSeconds,
    threshold: { type: 'gt', value: 0 },
    for: '0s',
    noData: 'OK',
    onError: 'KeepLast',
    summary: 'Detection failed for {{ humanize $values.B.Value }} batches',
    description: 'Collector {{ $labels.collector }}: their spans are stored, and no rule has seen them.',
    runbook: 'detection failed',
  },
  {
    uid: 'spanwarden-rule-disabled',
    title: 'Rule is disabled',
    severity: 'critical',
    query: { file: 'alerts/rule-disabled', words: {} },
    windowSeconds,
    threshold: { type: 'gt', value: 0 },
    for: '0s',
    noData: 'OK',
    onError: 'KeepLast',
    summary: 'Does not run: {{ $labels.title }}',
    description:
      'Rule {{ $labels.rule }} threw or took too long and is not asked any more; or the newest set of rules has errors and an older ' +
      'one runs. `spanwarden rules status` says why.',
    runbook: 'rule is disabled',
    panel: ruleHealth,
  },
  {
    uid: 'spanwarden-rule-failing',
    title: 'Rule fails',
    severity: 'warning',
    query: { file: 'alerts/rule-failing', words: {} },
    windowSeconds: 2 * 3600,
    threshold: { type: 'gt', value: 0 },
    for: '0s',
    noData: 'OK',
    onError: 'KeepLast',
    summary: 'Rule {{ $labels.rule }} failed on {{ humanize $values.B.Value }} spans',
    description: 'These spans have not been judged by it. It is disabled when it goes on.',
    runbook: 'rule fails',
    panel: ruleHealth,
  },
];
