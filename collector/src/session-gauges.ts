import type { StitcherStats } from './detect/sessions/stitcher.ts';
import type { Metrics } from './metrics.ts';

/** Calls in traces of their own, and what they were put together by. */
export function addSessionGauges(metrics: Metrics, stats: () => StitcherStats): void {
  const gauges: readonly (readonly [name: string, key: keyof StitcherStats, help: string])[] = [
    ['open', 'sessions', 'Sessions of calls in traces of their own that may go on.'],
    ['keys', 'keys', 'Ids and hashes by which further calls find them.'],
    ['waiting_calls', 'waiting', 'Calls that wait for the call before them.'],
    ['hurried_calls', 'hurried', 'Calls that were given a session before their time because too many waited.'],
    [
      'ambiguous_calls',
      'ambiguous',
      'Calls joined to nothing because several sessions have the messages before them in common.',
    ],
    ['evicted', 'evictedSessions', 'Sessions forgotten before they were idle because there were too many.'],
    ['forgotten_keys', 'forgottenKeys', 'Ids and hashes of long sessions that lead to them no longer.'],
  ];
  for (const [name, key, help] of gauges) metrics.gauge(`spanwarden_sessions_${name}`, help, () => stats()[key]);
}
