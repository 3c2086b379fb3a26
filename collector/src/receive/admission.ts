import { limits } from '../model/limits.ts';
import { busy, crowded, type Failure, noMemory, stopping } from './contract.ts';
import { comeRound, Turns } from './turns.ts';

/** How full the memory of the process is: `tight` lets one request at a time in, `full` none. */
export type MemoryLevel = 'free' | 'tight' | 'full';

export interface AdmissionOptions {
  /** What requests under way may hold together. */
  readonly bytesMax: number;
  /** How long a request may wait for its turns, in milliseconds; `limits.requestWaitMsDefault` unless said otherwise. */
  readonly waitMsMax?: number;
  /** Asked for each request. */
  memory?(): MemoryLevel;
  /** Milliseconds that only go forward. */
  readonly clock?: () => number;
}

/** Why requests were not let in: `late` when their turn did not come in time, though it had been foreseen to. */
export type CrowdReason = 'bytes' | 'wait' | 'late' | 'memory';

/** The room of one request, from its head to its answer. */
export interface Place {
  /** It is so many bytes in all that it holds or is about to; a failure, with nothing changed, when they are too many. */
  hold(bytes: number): Failure | undefined;
  /**
   * Runs when it is the request's turn; until its first await nobody else does. Health and refusals get through in between. A
   * failure, and nothing has run, as soon as it has waited for too long in all.
   */
  work<T>(bytes: number, work: () => Promise<T>): Promise<T | Failure>;
  /** Unpacks when it is the request's turn, in the same way: what comes out of it cannot be known before. */
  unpack<T>(work: () => Promise<T>): Promise<T | Failure>;
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
/** Requests are let in until they are foreseen to wait for this part of what they may: the line may move slower than it did lately. */
const foreseenShare = 0.5;
/** How much larger bodies become when they are unpacked: before anything was measured, and what is believed at most. */
const ratioAtStart = 4;
const ratioMax = 16;

/**
 * Lets requests in as long as there is room for them: for their bytes, counted from what their head announces, and in the
 * time that those before them take. Both answer to overload before a body is read. Whatever was foreseen, nothing waits for
 * its turn longer than `waitMsMax`: what is taken is answered after that, its own work and the fsync, and the rest is refused.
 */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #clock: () => number;
  readonly #waitMsMax: number;
  readonly #refused: Record<CrowdReason, number> = { bytes: 0, wait: 0, late: 0, memory: 0 };
  readonly #work: Turns;
  readonly #unpacking: Turns;
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
    this.#waitMsMax = options.waitMsMax ?? limits.requestWaitMsDefault;
    this.#work = new Turns(this.#clock);
    this.#unpacking = new Turns(this.#clock);
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
    return this.waitMs > this.#waitMsMax * foreseenShare ? 'wait' : undefined;
  }

  #refuse(reason: CrowdReason): Failure {
    this.#refused[reason]++;
    const all = Object.values(this.#refused).reduce((sum, count) => sum + count);
    const failure = reason === 'bytes' ? busy : reason === 'memory' ? noMemory : crowded(this.#waitMsMax);
    // Not all at the same moment.
    return { ...failure, retryAfterMs: 1000 * (1 + (all % 3)) };
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
    const patience = { leftMs: this.#waitMsMax };
    /** Waits for its turn; a failure when that does not come in time. */
    const missed = async (turns: Turns) => {
      if (await turns.take(patience)) return undefined;
      wait(0);
      return this.#refuse('late');
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
        const late = await missed(this.#work);
        if (late !== undefined) return late;
        const from = this.#clock();
        const done = work();
        wait(0);
        comeRound((this.#clock() - from) * restShare, this.#clock, () => {
          // What others are read and refused in counts, too: it is how fast the line moves.
          this.#measured(counted, this.#clock() - from);
          this.#work.free();
        });
        return done;
      },
      unpack: async (work) => {
        const late = await missed(this.#unpacking);
        return late ?? work().finally(() => this.#unpacking.free());
      },
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
