import { createHash } from 'node:crypto';
import { limits } from '../../model/limits.ts';
import type { Scan, Scanned } from '../slices.ts';
import type { Call } from './call.ts';

/** A session that was seen lately. */
export interface SessionRecord extends Scanned {
  readonly id: string;
  /** The key that it was named by; '' when it has the id of a trace. */
  readonly root: string;
  /** End of its newest call. */
  lastNanos: bigint;
  /** Goes up with each touch of any session. */
  turn: number;
  /** Keys that lead to it, the oldest first. */
  readonly keys: Set<string>;
  /** Hashes of all messages of its calls, with the ends of these. */
  readonly wholes: Map<string, bigint>;
}

export interface SessionTableBounds {
  readonly sessionsMax: number;
  readonly keysPerSessionMax: number;
  readonly keysMax: number;
  readonly idleNanos: bigint;
}

export interface SessionTableCounters {
  /** Sessions let go before they were idle, because there were too many. */
  evictedSessions: number;
  /** Keys of long sessions that lead to them no longer. */
  forgottenKeys: number;
  /** Calls that went on from messages which several sessions have in common. */
  ambiguous: number;
}

/** The id of a session that has a key for a name: whoever sees the key finds the same id. */
export function idOfKey(key: string): string {
  return createHash('sha256').update(`session\0${key}`).digest('hex').slice(0, 32);
}

/** Which keys lead to which session. A session that is silent for long is closed: its keys lead nowhere. */
export class SessionTable {
  readonly counters: SessionTableCounters = { evictedSessions: 0, forgottenKeys: 0, ambiguous: 0 };
  readonly #bounds: SessionTableBounds;
  readonly #scan: Scan<SessionRecord>;
  /** By id; the one that was touched last stands last. */
  readonly #sessions = new Map<string, SessionRecord>();
  readonly #keys = new Map<string, SessionRecord>();
  readonly #wholes = new Map<string, Set<SessionRecord>>();
  #turns = 0;

  constructor(scan: Scan<SessionRecord>, bounds: Partial<SessionTableBounds> = {}) {
    this.#scan = scan;
    this.#bounds = { ...defaultBounds, ...bounds };
  }

  get size(): number {
    return this.#sessions.size;
  }

  get keys(): number {
    return this.#keys.size + this.#wholes.size;
  }

  all(): Iterable<SessionRecord> {
    return this.#sessions.values();
  }

  /** The session that a key leads to, unless it was silent for too long when the call began. */
  find(key: string, call: Call): SessionRecord | undefined {
    const record = this.#keys.get(key);
    return record && this.#isOpen(record, call) ? record : undefined;
  }

  /** The one session whose messages the call goes on from. Openings that several sessions have in common say nothing. */
  findWhole(hash: string, call: Call): SessionRecord | undefined {
    let found: SessionRecord | undefined;
    for (const record of this.#wholes.get(hash) ?? []) {
      if (!this.#isOpen(record, call) || record.wholes.get(hash)! > call.startNanos) continue;
      if (found !== undefined) {
        this.counters.ambiguous++;
        return undefined;
      }
      found = record;
    }
    return found;
  }

  /** The session with this id, opened when it is not there. */
  open(id: string, root: string): SessionRecord {
    const known = this.#sessions.get(id);
    if (known) return known;
    const fresh = { keys: new Set<string>(), wholes: new Map<string, bigint>(), scan: this.#scan.number };
    const record: SessionRecord = { id, root, lastNanos: 0n, turn: ++this.#turns, ...fresh };
    this.#sessions.set(id, record);
    return record;
  }

  /** The call is one of the session: what it shows leads there. Gives the keys that were not known, and sessions that have them too. */
  add(record: SessionRecord, call: Call): { readonly fresh: string[]; readonly others: SessionRecord[] } {
    this.#scan.changing(record);
    const fresh: string[] = [];
    const others = new Set<SessionRecord>();
    for (const key of call.shown) {
      const known = this.#keys.get(key);
      if (known === record) continue;
      // What the call was taken for before its content came.
      const wasAlone = known?.id === call.traceId;
      if (known && !wasAlone && this.#isOpen(known, call)) {
        // Ids of responses may be counted anew by a server; one that a session was named by was asked for.
        if (!key.startsWith('r') || known.root === key) others.add(known);
        continue;
      }
      if (known) this.#forgetKey(known, key);
      this.#keys.set(key, record);
      record.keys.add(key);
      fresh.push(key);
    }
    if (call.whole !== '') this.#addWhole(record, call);
    if (call.endNanos > record.lastNanos) record.lastNanos = call.endNanos;
    record.turn = ++this.#turns;
    this.#sessions.delete(record.id);
    this.#sessions.set(record.id, record);
    this.#keepBounds(record);
    return { fresh, others: [...others] };
  }

  /** Lets go of sessions that nothing can go on any more. */
  forgetBefore(nanos: bigint): void {
    for (const record of this.#sessions.values()) {
      if (record.lastNanos + this.#bounds.idleNanos >= nanos) return;
      this.#drop(record);
    }
  }

  /** Takes over a record of a snapshot; those touched earlier first. */
  restore(record: SessionRecord): void {
    this.#turns = Math.max(this.#turns, record.turn);
    this.#sessions.set(record.id, record);
    for (const key of record.keys) this.#keys.set(key, record);
    for (const hash of record.wholes.keys()) this.#producersOf(hash).add(record);
  }

  clear(): void {
    this.#scan.cancel();
    this.#sessions.clear();
    this.#keys.clear();
    this.#wholes.clear();
    this.#turns = 0;
  }

  #isOpen({ lastNanos }: SessionRecord, { startNanos }: Call): boolean {
    return startNanos <= lastNanos + this.#bounds.idleNanos;
  }

  #addWhole(record: SessionRecord, { whole, endNanos }: Call): void {
    const known = record.wholes.get(whole);
    if (known !== undefined && known <= endNanos) return;
    record.wholes.set(whole, endNanos);
    const producers = this.#producersOf(whole);
    producers.add(record);
    // More than two are as good as two.
    if (producers.size > producersMax) producers.delete(producers.values().next().value!);
  }

  #producersOf(hash: string): Set<SessionRecord> {
    const known = this.#wholes.get(hash) ?? new Set();
    this.#wholes.set(hash, known);
    return known;
  }

  #keepBounds(record: SessionRecord): void {
    const { sessionsMax, keysPerSessionMax, keysMax } = this.#bounds;
    for (const key of record.keys) {
      if (record.keys.size + record.wholes.size <= keysPerSessionMax) break;
      // What it was named by stands in every later call that is given the whole history.
      if (key !== record.root) this.#forgetKey(record, key);
      else continue;
      this.counters.forgottenKeys++;
    }
    for (const hash of record.wholes.keys()) {
      if (record.keys.size + record.wholes.size <= keysPerSessionMax) break;
      this.#forgetWhole(record, hash);
      this.counters.forgottenKeys++;
    }
    for (const stalest of this.#sessions.values()) {
      if (this.#sessions.size <= sessionsMax && this.keys <= keysMax) return;
      if (stalest === record) return;
      this.#drop(stalest);
      this.counters.evictedSessions++;
    }
  }

  #drop(record: SessionRecord): void {
    this.#scan.leaving(record);
    this.#sessions.delete(record.id);
    for (const key of record.keys) this.#keys.delete(key);
    for (const hash of record.wholes.keys()) this.#forgetProducer(record, hash);
  }

  #forgetKey(record: SessionRecord, key: string): void {
    this.#scan.changing(record);
    record.keys.delete(key);
    this.#keys.delete(key);
  }

  #forgetWhole(record: SessionRecord, hash: string): void {
    record.wholes.delete(hash);
    this.#forgetProducer(record, hash);
  }

  #forgetProducer(record: SessionRecord, hash: string): void {
    const producers = this.#wholes.get(hash);
    producers?.delete(record);
    if (producers?.size === 0) this.#wholes.delete(hash);
  }
}

/** Sessions that are remembered to have the same messages. */
const producersMax = 16;

const defaultBounds: SessionTableBounds = {
  sessionsMax: limits.sessionsMax,
  keysPerSessionMax: limits.sessionKeysMax,
  keysMax: limits.sessionAllKeysMax,
  idleNanos: BigInt(limits.sessionIdleMs) * 1_000_000n,
};
