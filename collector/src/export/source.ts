import type { ExportEvent } from '../model/export-event.ts';

/** A place in the stream: sequence of the spool record, grows for ever; -1 stands before all. Events of one record share it. */
export interface SourcedEvents {
  readonly position: number;
  readonly events: readonly ExportEvent[];
}

/** What was read of the stream. */
export interface SourceRead {
  /** Oldest first; whole records. */
  readonly batch: readonly SourcedEvents[];
  /** At least the last position: positions without events are passed, too. */
  readonly through: number;
  /** Records between that can no longer be read anywhere. */
  readonly lost: number;
}

/** The stream of all findings and cases, in the order in which they were taken in. */
export interface EventSource {
  /** Where the stream ends now: a new destination begins there. */
  readonly head: number;
  /** Why readers wait although there is more, for people; undefined when nothing is wrong. */
  readonly waiting: string | undefined;
  /**
   * Events after a position; waits until there are some. Resolves undefined when the signal aborted, and never rejects: what cannot be
   * read yet makes it wait.
   */
  read(after: number, signal: AbortSignal): Promise<SourceRead | undefined>;
}
