/**
 * A part of detection that remembers earlier spans. Its state is a function of what it took in, so that a checkpoint and
 * what came after it give back the same state after a crash.
 */
export interface Stateful {
  /**
   * What the part took in since the last call, empty when nothing: `replay` of it on the state of that time gives the state of
   * now. It is stored in the same record as the findings that came of it.
   */
  takeJournal(): Uint8Array;
  /** As `takeJournal` where nobody stores it, without the work. */
  dropJournal?(): void;
  /** Takes in a journal again. What comes of it was stored with the journal, so nothing is given out. */
  replay(journal: Uint8Array): void;
  /** The whole state between two calls. */
  snapshot(): Uint8Array;
  /**
   * The same in pieces of about `pieceBytes`, which are made one by one, at each `next`, while the part goes on taking things
   * in: the state of the moment of this call. Only the newest call counts. A part without it has a small state.
   */
  slices?(pieceBytes?: number): Slices;
  /** Takes over a snapshot; what belongs to rules that are gone or have changed is left behind. */
  restore(snapshot: Uint8Array): RestoreOutcome;
  /**
   * Goes on with what an earlier part of its kind remembers, as it stands in memory: no byte of it is written or read, however much it
   * is. The earlier part is of no use afterwards. Undefined, and nothing, where its rules do not allow that.
   */
  takeOver?(earlier: Stateful): RestoreOutcome | undefined;
}

/** A snapshot in the making: its pieces, one after the other. */
export interface Slices {
  /** The next piece, which may be empty; undefined when there is none any more. */
  next(): Uint8Array | undefined;
  /** Nobody asks for the rest. */
  cancel(): void;
  /** It was cancelled, or the state was exchanged meanwhile: the pieces are of no use. */
  readonly isCut: boolean;
}

/** `unreadable` leaves the part as it was. */
export type RestoreOutcome =
  | { readonly status: 'restored'; readonly rules: number }
  | { readonly status: 'unreadable' };
