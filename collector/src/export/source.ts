import type { ExportEvent } from '../model/export-event.ts';
import type { Deliverable } from './contract.ts';

/** A place in the stream: sequence of the spool record, grows for ever; -1 stands before all. Events of one record share it. */
export interface SourcedEvents<Event extends Deliverable = ExportEvent> {
  readonly position: number;
  readonly events: readonly Event[];
}

/** What was read of the stream. */
export interface SourceRead<Event extends Deliverable = ExportEvent> {
  /** Oldest first; whole records. */
  readonly batch: readonly SourcedEvents<Event>[];
  /** At least the last position: positions without events are passed, too. */
  readonly through: number;
  /** Records between, or of requests whole segments, that can no longer be read anywhere. */
  readonly lost: number;
}

/** The stream of all findings and cases, or of requests, in the order in which they were taken in. */
export interface EventSource<Event extends Deliverable = ExportEvent> {
  /** Where the stream ends now: a new destination begins there. */
  readonly head: number;
  /** Why readers wait although there is more, for people; undefined when nothing is wrong. */
  readonly waiting: string | undefined;
  /**
   * Events after a position; waits until there are some. Resolves undefined when the signal aborted, and never rejects: what cannot be
   * read yet makes it wait.
   */
  read(after: number, signal: AbortSignal): Promise<SourceRead<Event> | undefined>;
}
