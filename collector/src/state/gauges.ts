import type { Metrics } from '../metrics.ts';
import type { StateKeeper } from './keeper.ts';
import type { OpenedState } from './open-state.ts';

/** What the last run left, and how checkpoints go. */
export function addStateGauges(
  metrics: Metrics,
  keeper: StateKeeper,
  { store, journal, replay }: OpenedState,
  spool: { stats(): { readonly journalKeptBytes: number; readonly journalSegmentsLost: number } },
): void {
  const stats = () => keeper.stats();
  const ageOf = (timeMs: number) => (timeMs === 0 ? 0 : Math.max(0, Date.now() - timeMs) / 1000);
  const gauges = [
    ['checkpoint_age_seconds', 'Age of the newest checkpoint; 0 before the first.', () => ageOf(stats().timeMs)],
    ['checkpoint_bytes', 'Size of the newest checkpoint of this run.', () => stats().bytes],
    ['checkpoint_pause_seconds', 'How long detection stood still for it at most.', () => stats().pauseMs / 1000],
    ['checkpoint_work_seconds', 'How long it was worked on, in turns.', () => stats().workMs / 1000],
    ['checkpoint_duration_seconds', 'How long it took until it was durable.', () => stats().durationMs / 1000],
    ['checkpoints', 'Checkpoints taken since the start.', () => stats().checkpoints],
    ['checkpoints_failed', 'Checkpoints that could not be made durable.', () => stats().failed],
    ['checkpoints_set_aside', 'Checkpoints that could not be read at the start.', () => store.setAside],
    ['journal_bytes', 'Bytes of journals taken since the start.', () => journal.bytes],
    ['journal_kept_bytes', 'Sent segments kept for their journals.', () => spool.stats().journalKeptBytes],
    ['journal_segments_lost', 'Segments deleted although needed.', () => spool.stats().journalSegmentsLost],
    ['replayed_records', 'Records read again at the start.', () => replay.records],
    ['replayed_pieces', 'Pieces of the journal taken in again at the start.', () => replay.replayed],
    ['replay_missing_pieces', 'Pieces between others that were gone at the start.', () => replay.missing],
    ['replay_failed_pieces', 'Pieces that could not be taken in again at the start.', () => replay.failed],
  ] as const;
  for (const [name, help, read] of gauges) metrics.gauge(`spanwarden_state_${name}`, help, read);
}
