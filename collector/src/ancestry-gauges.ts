import type { AncestryStats } from './detect/ancestry/ancestry.ts';
import type { Metrics } from './metrics.ts';

/** What rules that read fields of other spans remember, and what they had to do without. */
export function addAncestryGauges(metrics: Metrics, stats: () => AncestryStats): void {
  const gauges: readonly (readonly [name: string, key: keyof AncestryStats, help: string])[] = [
    ['traces', 'traces', 'Traces of which spans are remembered.'],
    ['spans', 'spans', 'Spans that are remembered for those below them.'],
    ['bytes', 'bytes', 'About what they and what waits take in memory.'],
    ['waiting_spans', 'waiting', 'Spans and rules that wait for spans above them.'],
    ['timed_out_spans', 'timedOut', 'Decided without spans above them, because those did not come in time.'],
    ['hurried_spans', 'hurried', 'Decided before their time because too much waited or was remembered.'],
    ['late_spans', 'late', 'Spans that came after what waited for them may have been decided.'],
    ['evicted_traces', 'evictedTraces', 'Traces forgotten before their time because there was too much.'],
    ['evicted_spans', 'evictedSpans', 'Spans forgotten before their time because there was too much.'],
    ['conflicting_spans', 'conflicting', 'Spans with the id of another span of their trace.'],
  ];
  for (const [name, key, help] of gauges) metrics.gauge(`spanwarden_ancestry_${name}`, help, () => stats()[key]);
}
