import type { Slices } from './state.ts';

/** Pieces of about this size take a millisecond or two. */
const pieceBytesDefault = 32 * 1024;

/** Work on a state that is done bit by bit while the state changes. */
export interface Steps {
  /** Goes on until it is enough; false when nothing is left to do. */
  step(isEnough: () => boolean): boolean;
  cancel(): void;
  readonly isCut: boolean;
}

/** A member of a collection that a `Scan` writes down. */
export interface Scanned {
  /** The scan that has it, or that was newest when it came. */
  scan: number;
}

/** How many members a step passes over before somebody else has a turn. */
const passedMax = 4096;

interface Run<T> {
  readonly left: Iterator<T>;
  readonly write: (member: T) => void;
  /** Members that went before they were written. */
  readonly gone: T[];
  failure?: unknown;
  isCut: boolean;
}

/**
 * Writes down the members of a collection as they were at one moment, while they change: whoever is about to change one says so
 * before, and a member that was not written yet is written then. So each is written once, whatever happens meanwhile.
 */
export class Scan<T extends Scanned> {
  #number = 0;
  #run: Run<T> | undefined;

  /** For members that come: they belong to no scan under way. */
  get number(): number {
    return this.#number;
  }

  /**
   * The members are those of this moment. Going through `members` must bear changes of the collection; what comes meanwhile may
   * turn up in it. A scan under way is cut.
   */
  begin(members: Iterable<T>, write: (member: T) => void): Steps {
    this.cancel();
    const run: Run<T> = { left: members[Symbol.iterator](), write, gone: [], isCut: false };
    this.#run = run;
    this.#number++;
    return {
      step: (isEnough) => this.#run === run && this.#step(run, isEnough),
      cancel: () => {
        if (this.#run === run) this.cancel();
      },
      get isCut() {
        return run.isCut;
      },
    };
  }

  /** The member is about to change. */
  changing(member: T): void {
    if (member.scan === this.#number || this.#run === undefined) return;
    member.scan = this.#number;
    try {
      this.#run.write(member);
    } catch (error) {
      // Whoever changes the member has nothing to do with it.
      this.#run.failure ??= error;
    }
  }

  /** The member goes as it is and changes no more. */
  leaving(member: T): void {
    if (member.scan === this.#number || this.#run === undefined) return;
    member.scan = this.#number;
    this.#run.gone.push(member);
  }

  /** The collection is about to be another one. */
  cancel(): void {
    if (this.#run) this.#run.isCut = true;
    this.#run = undefined;
  }

  #step(run: Run<T>, isEnough: () => boolean): boolean {
    if (run.failure !== undefined) throw run.failure;
    for (let passed = 0; passed < passedMax && !isEnough(); ) {
      const gone = run.gone.pop();
      if (gone) {
        run.write(gone);
        continue;
      }
      const { done, value } = run.left.next();
      if (done) {
        this.#run = undefined;
        return false;
      }
      if (value.scan === this.#number) passed++;
      else this.changing(value);
    }
    return true;
  }
}

/** Members that never change, one after the other. */
export function stepsOf<T>(members: readonly T[], write: (member: T) => void): Steps {
  let at = 0;
  return {
    step: (isEnough) => {
      while (at < members.length && !isEnough()) write(members[at++]!);
      return at < members.length;
    },
    cancel: () => {
      at = members.length;
    },
    isCut: false,
  };
}

/** One after the other. */
export function stepsInTurn(all: readonly Steps[]): Steps {
  let at = 0;
  return {
    step: (isEnough) => {
      while (at < all.length && !all[at]!.step(isEnough)) at++;
      return at < all.length;
    },
    cancel: () => {
      for (const steps of all) steps.cancel();
    },
    get isCut() {
      return all.some(({ isCut }) => isCut);
    },
  };
}

/** What values are written to, and taken from as bytes. */
interface Encoder {
  /** Bytes since they were taken. */
  readonly length: number;
  take(): Uint8Array;
}

/** Steps that write to an encoder, as pieces. */
export function slicesOf(encoder: Encoder, steps: Steps, pieceBytes = pieceBytesDefault): Slices {
  let isLeft = true;
  // Steps over what never changes are not cut themselves: they would end early as if they were whole.
  let isCancelled = false;
  return {
    next: () => {
      if (!isLeft || isCancelled || steps.isCut) return undefined;
      isLeft = steps.step(() => encoder.length >= pieceBytes);
      return encoder.take();
    },
    cancel: () => {
      isCancelled ||= isLeft;
      steps.cancel();
    },
    get isCut() {
      return isCancelled || steps.isCut;
    },
  };
}

/** For states that are small at all times. */
export function sliceOf(snapshot: Uint8Array): Slices {
  let left: Uint8Array | undefined = snapshot;
  const next = (): Uint8Array | undefined => {
    const piece = left;
    left = undefined;
    return piece;
  };
  return { next, cancel: ignore, isCut: false };
}

/** All pieces at once. */
export function wholeOf(slices: Slices): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (let piece = slices.next(); piece; piece = slices.next()) pieces.push(piece);
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}

function ignore(): void {}
