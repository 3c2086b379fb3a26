import { addAncestryGauges } from './ancestry-gauges.ts';
import { addCaseGauges } from './case-gauges.ts';
import type { ToolCalls } from './detect/calls/tool-calls.ts';
import type { Casework } from './detect/casework.ts';
import type { Detector } from './detect/engine.ts';
import type { Metrics } from './metrics.ts';
import { addSessionGauges } from './session-gauges.ts';
import { addToolCallGauges } from './tool-calls.ts';

interface Detecting {
  readonly detector: Detector;
  readonly calls: ToolCalls;
  readonly casework: Casework;
}

export function addDetectionGauges(metrics: Metrics, { detector, calls, casework }: Detecting): void {
  addCorrelationGauges(metrics, detector);
  addToolCallGauges(metrics, calls);
  addAncestryGauges(metrics, () => detector.ancestryStats());
  addSessionGauges(metrics, () => detector.sessionStats());
  addCaseGauges(metrics, casework);
}

function addCorrelationGauges(metrics: Metrics, detector: Detector): void {
  const stats = () => detector.correlationStats();
  const sum = (key: 'groups' | 'withoutKey' | 'evictedGroups' | 'droppedEvents') =>
    stats().rules.reduce((total, rule) => total + rule[key], 0);
  const gauges = [
    ['waiting_events', 'Events that wait until no earlier one can arrive.', () => stats().waiting],
    ['late_events', 'Events that came too late for correlations.', () => stats().late],
    ['future_events', 'Events from so far in the future that correlations left them out.', () => stats().future],
    ['hurried_events', 'Events evaluated before their time because too many waited.', () => stats().hurried],
    ['groups', 'Groups that correlations remember.', () => sum('groups')],
    ['keyless_events', 'Events without a group key.', () => sum('withoutKey')],
    ['evicted_groups', 'Groups forgotten because there were too many.', () => sum('evictedGroups')],
    ['dropped_events', 'Events forgotten because a group had too many.', () => sum('droppedEvents')],
  ] as const;
  for (const [name, help, read] of gauges) metrics.gauge(`spanwarden_correlate_${name}`, help, read);
}
