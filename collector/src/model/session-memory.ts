import { limits } from './limits.ts';

export interface SessionMemoryBounds {
  readonly bytesMax: number;
  readonly sessionsMax: number;
}

/** Something that is kept for a session. */
export interface Remembered {
  /** About what it takes, with all that was worked out of it; in bytes. */
  weight: number;
  isForgotten: boolean;
}

/** A few things for each session, those used last. What was not used for longest is forgotten first, by sessions. */
export class SessionMemory<K extends Remembered> {
  /** What is kept of a session, by use: several agents may talk in one. Sessions by use, too. */
  readonly #sessions = new Map<string, readonly K[]>();
  readonly #bytesMax: number;
  readonly #sessionsMax: number;
  #weight = 0;

  constructor(bounds: Partial<SessionMemoryBounds> = {}) {
    this.#bytesMax = bounds.bytesMax ?? limits.repeatedListsBytesMax;
    this.#sessionsMax = bounds.sessionsMax ?? limits.repeatedListsSessionsMax;
  }

  /** About what is kept, in bytes. */
  get weight(): number {
    return this.#weight;
  }

  of(session: string): readonly K[] {
    return this.#sessions.get(session) ?? [];
  }

  /** Notes that one has become so much larger. */
  weigh(kept: K, bytes: number): void {
    if (kept.isForgotten) return;
    kept.weight += bytes;
    this.#weight += bytes;
  }

  /** Notes that one was used, which may be new. */
  keep(session: string, kept: K): void {
    const before = this.of(session);
    const all = before.length === 1 && before[0] === kept ? before : [kept, ...before.filter((each) => each !== kept)];
    for (const gone of all.slice(perSessionMax)) this.#drop(gone);
    if (!this.#sessions.delete(session)) this.#weight += nameBytes(session);
    this.#sessions.set(session, all.length > perSessionMax ? all.slice(0, perSessionMax) : all);
    this.fit();
  }

  /** Makes room for some time: the first entry of a map is found the later the more were taken out before it. */
  fit(): void {
    const [bytesMax, sessionsMax] = [this.#bytesMax, this.#sessionsMax];
    if (this.#weight <= bytesMax && this.#sessions.size <= sessionsMax) return;
    for (const [stalest, gone] of this.#sessions) {
      if (this.#weight <= bytesMax - (bytesMax >> 3) && this.#sessions.size <= sessionsMax - (sessionsMax >> 3)) break;
      this.#sessions.delete(stalest);
      this.#weight -= nameBytes(stalest);
      for (const each of gone) this.#drop(each);
    }
  }

  clear(): void {
    for (const kept of this.#sessions.values()) for (const each of kept) this.#drop(each);
    this.#sessions.clear();
    this.#weight = 0;
  }

  #drop(gone: K): void {
    gone.isForgotten = true;
    this.#weight -= gone.weight;
  }
}

/** Senders choose names of sessions as they like. */
function nameBytes(session: string): number {
  return 2 * session.length;
}

const perSessionMax = 4;
