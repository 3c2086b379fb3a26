import { limits } from '../model/limits.ts';
import { busy, crowded, type Failure, noMemory, stopping } from './contract.ts';

/** How full the memory of the process is: `tight` lets one request at a time in, `full` none. */
export type MemoryLevel = 'free' | 'tight' | 'full';

export interface AdmissionOptions {
  /** What requests under way may hold together. */
  readonly bytesMax: number;
  /** Asked for each request. */
  memory?(): MemoryLevel;
  /** Milliseconds that only go forward. */
  readonly clock?: () => number;
}

/** Why requests were not let in. */
export type CrowdReason = 'bytes' | 'wait' | 'memory';

/** The room of one request, from its head to its answer. */
export interface Place {
  /** It is so many bytes in all that it holds or is about to; a failure, with nothing changed, when they are too many. */
  hold(bytes: number): Failure | undefined;
  /** Runs when it is the request's turn; until its first await nobody else does. Health and refusals get through in between. */
  work<T>(bytes: number, work: () => Promise<T>): Promise<T>;
  /** Unpacks when it is the request's turn: what comes out of it cannot be known before. */
  unpack<T>(work: () => Promise<T>): Promise<T>;
  /** As `hold`, for what came out of so many bytes. */
  unpacked(sentBytes: number, bytes: number): Failure | undefined;
  /** Gives everything back. Idempotent. */
  leave(): void;
}

/** A request that is small or does not say how large it is counts as so much until its body is there. */
const expectedBytesMin = 16 * 1024;
/** A body up to this size comes with its head, so that it is waited for only once it is there. */
const smallBytesMax = 64 * 1024;
/** What was announced and does not come makes room for others after this time. */
const announcedMs = 1_000;
/** Bytes worked through in a millisecond before anything was measured, and what the past weighs against each new request. */
const bytesPerMsAtStart = 2_000;
const pastWeight = 0.9;
/** After each request others are read and answered: for a part of the time that it took, as long as there is anything. */
const restShare = 0.125;
const roundsMax = 16;
/** How much larger bodies become when they are unpacked: before anything was measured, and what is believed at most. */
const ratioAtStart = 4;
const ratioMax = 16;

/**
 * Lets requests in as long as there is room for them: for their bytes, counted from what their head announces, and in the
 * time that those before them take. Both answer to overload before a body is read, so that what is let in is answered soon.
 */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #clock: () => number;
  readonly #refused: Record<CrowdReason, number> = { bytes: 0, wait: 0, memory: 0 };
  readonly #work = new Turns();
  readonly #unpacking = new Turns();
  #places = 0;
  #heldBytes = 0;
  /** Of those, what nobody has worked on yet. */
  #waitingBytes = 0;
  #rate = { bytes: bytesPerMsAtStart, ms: 1 };
  #ratio = ratioAtStart;
  #isStopping = false;
  readonly #reading = new Set<(failure: Failure) => void>();

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Requests that were not let in since the start. */
  get refused(): Readonly<Record<CrowdReason, number>> {
    return this.#refused;
  }

  /** How long what is waiting would take, in milliseconds. */
  get waitMs(): number {
    return (this.#waitingBytes / this.#rate.bytes) * this.#rate.ms;
  }

  /**
   * @param announcedBytes of the body as it is sent; undefined when the head does not say
   * @param isPacked whether it becomes larger when it is unpacked
   */
  enter(announcedBytes: number | undefined, isPacked: boolean): Place | Failure {
    if (this.#isStopping) return stopping;
    const bytes = Math.max((announcedBytes ?? 0) * (isPacked ? this.#ratio : 1), expectedBytesMin);
    const reason = this.#reasonAgainst(bytes);
    if (reason !== undefined) return this.#refuse(reason);
    return this.#place(bytes);
  }

  /** Lets nobody in any more; those whose body is not there after this time are told to come again. */
  stop(readMs: number): void {
    this.#isStopping = true;
    setTimeout(() => {
      for (const tell of this.#reading) tell(stopping);
    }, readMs).unref();
  }

  /** Calls `tell` when the body of a request that is being read is waited for no longer; gives what ends that. */
  whileReading(tell: (failure: Failure) => void): () => void {
    this.#reading.add(tell);
    return () => this.#reading.delete(tell);
  }

  #reasonAgainst(bytes: number): CrowdReason | undefined {
    const level = this.#options.memory?.() ?? 'free';
    if (level === 'full' || (level === 'tight' && this.#places > 0)) return 'memory';
    if (this.#places === 0) return undefined;
    if (this.#heldBytes + bytes > this.#options.bytesMax) return 'bytes';
    return this.waitMs > limits.requestsWaitMsMax ? 'wait' : undefined;
  }

  #refuse(reason: CrowdReason): Failure {
    this.#refused[reason]++;
    const all = this.#refused.bytes + this.#refused.wait + this.#refused.memory;
    // Not all at the same moment.
    const retryAfterMs = 1000 * (1 + (all % 3));
    return { ...failures[reason], retryAfterMs };
  }

  #place(expected: number): Place {
    let held = 0;
    let waiting = 0;
    let hasLeft = false;
    const change = (bytes: number) => {
      this.#heldBytes += bytes - held;
      held = bytes;
    };
    const wait = (bytes: number) => {
      this.#waitingBytes += bytes - waiting;
      waiting = bytes;
    };
    this.#places++;
    change(expected);
    wait(expected > smallBytesMax ? expected : 0);
    let arrived = 0;
    const timer = setTimeout(() => {
      change(Math.min(held, Math.max(arrived, expectedBytesMin)));
      wait(0);
    }, announcedMs).unref();
    const hold = (bytes: number) => {
      arrived = bytes;
      if (bytes <= held) return undefined;
      const others = this.#heldBytes - held;
      if (others > 0 && others + bytes > this.#options.bytesMax) return this.#refuse('bytes');
      change(bytes);
      if (waiting > 0) wait(bytes);
      return undefined;
    };
    return {
      hold,
      unpacked: (sentBytes, bytes) => {
        this.#ratio = this.#ratio * pastWeight + Math.min(ratioMax, bytes / sentBytes) * (1 - pastWeight);
        return hold(bytes);
      },
      work: async (bytes, work) => {
        clearTimeout(timer);
        const counted = Math.max(bytes, expectedBytesMin);
        change(counted);
        wait(counted);
        let from = 0;
        const begin = () => {
          from = this.#clock();
          const done = work();
          wait(0);
          return done;
        };
        return this.#work.run(begin, (free) =>
          comeRound((this.#clock() - from) * restShare, this.#clock, () => {
            // What others are read and refused in counts, too: it is how fast the line moves.
            this.#measured(counted, this.#clock() - from);
            free();
          }),
        );
      },
      unpack: (work) => this.#unpacking.run(work),
      leave: () => {
        if (hasLeft) return;
        hasLeft = true;
        clearTimeout(timer);
        change(0);
        wait(0);
        this.#places--;
      },
    };
  }

  #measured(bytes: number, ms: number): void {
    this.#rate = {
      bytes: this.#rate.bytes * pastWeight + bytes,
      ms: this.#rate.ms * pastWeight + ms,
    };
  }
}

const failures: Readonly<Record<CrowdReason, Extract<Failure, { status: 'retryable' }>>> = {
  bytes: busy,
  wait: crowded,
  memory: noMemory,
};

/** One at a time. */
class Turns {
  readonly #queue: (() => void)[] = [];
  #isTaken = false;

  /** Runs it when it is its turn, which lasts until it has ended, or as long as `rest` says after its first synchronous part. */
  async run<T>(work: () => Promise<T>, rest?: (free: () => void) => void): Promise<T> {
    if (this.#isTaken) await new Promise<void>((done) => this.#queue.push(done));
    this.#isTaken = true;
    const free = () => {
      this.#isTaken = false;
      this.#queue.shift()?.();
    };
    const ended = work();
    if (rest) rest(free);
    else ended.then(free, free);
    return ended;
  }
}

/** Lets the event loop come round some times, but no longer than so many milliseconds: bodies arrive a piece at a time. */
function comeRound(msMax: number, clock: () => number, then: () => void): void {
  const from = clock();
  let rounds = 0;
  const round = () => {
    rounds++;
    // What was asked for in the round that is running comes before the second one.
    if (rounds >= roundsMax || (rounds > 1 && clock() - from >= msMax)) then();
    else setImmediate(round);
  };
  setImmediate(round);
}
