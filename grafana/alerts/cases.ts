import type { AlertSpec } from './spec.ts';

const openCases = { dashboardUid: 'spanwarden-findings', id: 13 };
const daySeconds = 86_400;

function openCase(level: 'critical' | 'high', severity: AlertSpec['severity']): AlertSpec {
  return {
    uid: `spanwarden-case-${level}`,
    title: `Open ${level} case`,
    severity,
    query: { file: 'alerts/open-cases', words: { level } },
    windowSeconds: daySeconds,
    threshold: { type: 'gt', value: 0 },
    for: '0s',
    noData: 'OK',
    onError: 'KeepLast',
    summary: `A case of level ${level} is open: {{ $labels.case }}`,
    description:
      '{{ humanize $values.B.Value }} findings. `spanwarden cases show {{ $labels.case }}` tells what happened; closing the case ends the alert, ' +
      'and so does a day in which nothing is added to it.',
    runbook: 'open case',
    panel: openCases,
  };
}

export const caseAlerts: readonly AlertSpec[] = [openCase('critical', 'critical'), openCase('high', 'warning')];

/** Read from spans, two days of them, so it is asked less often than the rest. */
export const agentAlerts: readonly AlertSpec[] = [
  {
    uid: 'spanwarden-agent-silent',
    title: 'Agent fell silent',
    severity: 'warning',
    query: { file: 'alerts/agent-silent', words: {} },
    windowSeconds: 2 * daySeconds,
    threshold: { type: 'gt', value: 2 },
    for: '0s',
    noData: 'OK',
    onError: 'KeepLast',
    summary: 'No spans from {{ $labels.agent }} of {{ $labels.service }} for {{ humanize $values.B.Value }} hours',
    description:
      'It sent spans in 20 or more of the 24 hours before. It may be stopped, its instrumentation may be gone, or somebody has turned ' +
      'it off. The alert ends when spans come, or after a day.',
    runbook: 'agent fell silent',
    panel: { dashboardUid: 'spanwarden-findings', id: 3 },
  },
];
