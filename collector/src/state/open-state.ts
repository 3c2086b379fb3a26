import type { Checkpoint } from './checkpoint-format.ts';
import type { CheckpointStore, StateLogger } from './checkpoint-store.ts';
import { JournalLog } from './journal-log.ts';
import { type ReplayOutcome, replayJournals } from './replay.ts';

/** What has a memory, as a start sees it. */
export interface Remembering {
  restore(snapshot: Uint8Array): {
    readonly status: 'restored' | 'unreadable';
    readonly unreadable?: readonly string[];
  };
  replay(journal: Uint8Array): void;
}

/** Where journals are read from. */
export interface JournalReader {
  journals(fromSegment: number): AsyncIterable<{ readonly segment: number; readonly bytes: Uint8Array }>;
  keepFrom(segment: number): void;
}

export interface OpenedState {
  readonly store: CheckpointStore;
  /** Goes on numbering where the last run ended. */
  readonly journal: JournalLog;
  /** The checkpoint that the state began with. */
  readonly checkpoint: Pick<Checkpoint, 'number' | 'timeMs'>;
  readonly replay: ReplayOutcome;
}

/**
 * Brings back what detection remembered when the last run ended, however it ended: the newest checkpoint that can be read,
 * then the journals of all records after it. What comes out of the replay was stored in the same records.
 */
export async function openState(
  store: CheckpointStore,
  spool: JournalReader,
  memory: Remembering,
  logger?: StateLogger,
): Promise<OpenedState> {
  const found = await load(store, memory, logger);
  const checkpoint = found ?? { number: 0, segment: 0, timeMs: 0 };
  const replay = await replayJournals(spool.journals(checkpoint.segment), checkpoint.number, (bytes) =>
    memory.replay(bytes),
  );
  spool.keepFrom(store.neededSegment);
  report(replay, logger);
  const journal = new JournalLog(replay.last, Math.max(replay.segment, checkpoint.segment));
  return { store, journal, checkpoint, replay };
}

async function load(
  store: CheckpointStore,
  memory: Remembering,
  logger: StateLogger | undefined,
): Promise<Checkpoint | undefined> {
  try {
    return await store.load(({ sections }) => {
      if (sections.length === 0) return false;
      const { status, unreadable } = memory.restore(sections.length === 1 ? sections[0]! : Buffer.concat(sections));
      if (unreadable)
        logger?.error({ parts: unreadable }, 'state: parts of a checkpoint are unreadable; they begin anew');
      return status === 'restored';
    });
  } catch (error) {
    // Spans can be taken without it; each checkpoint that fails says so again.
    logger?.error({ err: error }, 'state: the directory of the checkpoints cannot be read');
    return undefined;
  }
}

function report({ records, replayed, failed, missing }: ReplayOutcome, logger: StateLogger | undefined): void {
  if (replayed > 0) logger?.info({ records, replayed }, 'state: what was taken in since the last checkpoint is back');
  if (failed > 0)
    logger?.error({ failed }, 'state: pieces of the journal could not be taken in; windows may lack spans');
  if (missing > 0) logger?.warn({ missing }, 'state: pieces of the journal are missing; windows may lack spans');
}
