import type { FieldId, FieldTable } from '../../model/fields.ts';
import { limits } from '../../model/limits.ts';
import { overflowKey } from './overflow-text.ts';

/** Where attributes stand; each place of a service has a budget of its own. */
export const KeyPlace = { resource: 0, span: 1, event: 2, log: 3, point: 4 } as const;
export type KeyPlace = (typeof KeyPlace)[keyof typeof KeyPlace];

/** A run of attribute names, as the writer of maps keeps it. */
export interface KeyShape {
  readonly fields: Int32Array;
  /** Places in the run, sorted by name. */
  readonly order: Uint16Array;
}

/** Which attributes of a run keep their key, and which go into the one for what is over; both sorted by name. */
export interface KeySplit {
  readonly kept: Uint16Array;
  readonly over: Uint16Array;
  /** Of those over, how many because all services together have too many. */
  readonly overTotal: number;
}

/** Hears what the budget learns, so that it can be told again after a restart. */
export interface KeyListener {
  /** @param service undefined for those that share a place */
  learned(service: string | undefined, place: KeyPlace, hash: number): void;
  forgot(service: string): void;
}

/** Why attributes lost their key: their service has too many, or all services together. */
export type OverflowReason = 'service' | 'total';

export interface KeyBudgetOptions {
  readonly fields: FieldTable;
  /** Distinct keys of one service in one place. */
  readonly keysMax: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  readonly totalMax?: number;
  readonly servicesMax?: number;
}

/** A service that was silent for so long begins anew. */
const idleMs = 24 * 3_600_000;
const serviceCharsMax = 256;

/**
 * How many different attribute keys a service may have stored, over time: each is a subcolumn of nothing and an entry of
 * dictionaries for ever, and senders may invent them. The first so many are kept, in the order in which they come; further new
 * ones lose their key. Names that rules, the taxonomy or tables know are never counted.
 */
export class KeyBudget {
  readonly overflowed: Record<OverflowReason, number> = { service: 0, total: 0 };
  readonly #options: Required<KeyBudgetOptions>;
  /** Ours alone: beside one of a sender's it would stand in a map twice. */
  readonly #overflowField: FieldId;
  /** By name; the one that came last stands last. */
  readonly #services = new Map<string, ServiceKeys>();
  /** Services for which there is no place share this. */
  #others: ServiceKeys;
  #seeds: readonly [number, number] = [Math.random() * 2 ** 32, Math.random() * 2 ** 32];
  #keys = 0;
  listener: KeyListener | undefined;

  constructor(options: KeyBudgetOptions) {
    this.#options = {
      now: Date.now,
      totalMax: limits.attributeKeysMax,
      servicesMax: limits.attributeKeyServicesMax,
      ...options,
    };
    this.#overflowField = options.fields.intern(overflowKey);
    this.#others = new ServiceKeys(this);
  }

  /** Keys that are remembered, of all services. */
  get keys(): number {
    return this.#keys;
  }

  /** Services that have all the keys they may in some place. */
  get fullServices(): number {
    let full = 0;
    for (const service of [...this.#services.values(), this.#others]) if (service.isFull) full++;
    return full;
  }

  /** What hashes are made with; those made with others mean nothing. */
  get seeds(): readonly [number, number] {
    return [this.#seeds[0] >>> 0, this.#seeds[1] >>> 0];
  }

  /** Begins anew, with nothing known. */
  begin(seeds: readonly [number, number]): void {
    this.#seeds = seeds;
    this.#services.clear();
    this.#others = new ServiceKeys(this);
    this.#keys = 0;
  }

  /** Learns again what `learned` told, as far as there is room. */
  relearn(service: string | undefined, place: KeyPlace, hash: number): void {
    const { keysMax, totalMax } = this.#options;
    const keys = service === undefined ? this.#others : this.of(service);
    const known = keys.known(place);
    if (known.has(hash) || known.size >= keysMax || this.#keys >= totalMax) return;
    known.add(hash);
    this.#keys++;
  }

  /** As `forgot` told. */
  forget(service: string): void {
    this.#keys -= this.#services.get(service)?.size ?? 0;
    this.#services.delete(service);
  }

  /** All that is known, the service that came last at the end. */
  walk(each: KeyListener['learned']): void {
    for (const [name, keys] of [...this.#services, [undefined, this.#others] as const]) {
      for (const place of Object.values(KeyPlace)) for (const hash of keys.known(place)) each(name, place, hash);
    }
  }

  of(serviceName: string): ServiceKeys {
    const name = serviceName.slice(0, serviceCharsMax);
    const now = this.#options.now();
    const known = this.#services.get(name);
    if (known !== undefined && now - known.usedMs < idleMs) {
      known.usedMs = now;
      this.#services.delete(name);
      this.#services.set(name, known);
      return known;
    }
    this.#forgetIdle(now);
    if (this.#services.size >= this.#options.servicesMax) return this.#others;
    const service = new ServiceKeys(this, now, name);
    this.#services.set(name, service);
    return service;
  }

  #forgetIdle(now: number): void {
    for (const [name, service] of this.#services) {
      if (now - service.usedMs < idleMs) return;
      this.forget(name);
      this.listener?.forgot(name);
    }
  }

  split(keys: ServiceKeys, place: KeyPlace, { fields, order }: KeyShape): KeySplit {
    const kept: number[] = [];
    const over: number[] = [];
    let overTotal = 0;
    for (const at of order) {
      const reason = this.#reasonAgainst(keys, place, fields[at]!);
      if (reason === undefined) kept.push(at);
      else over.push(at);
      if (reason === 'total') overTotal++;
    }
    return { kept: over.length === 0 ? order : Uint16Array.from(kept), over: Uint16Array.from(over), overTotal };
  }

  #reasonAgainst(keys: ServiceKeys, place: KeyPlace, field: FieldId): OverflowReason | undefined {
    const { fields, keysMax, totalMax } = this.#options;
    if (field === this.#overflowField) return 'service';
    if (fields.isPermanent(field)) return undefined;
    const hash = this.#hashOf(fields.encodedName(field));
    const known = keys.known(place);
    if (known.has(hash)) return undefined;
    if (known.size >= keysMax) return 'service';
    if (this.#keys >= totalMax) return 'total';
    known.add(hash);
    this.#keys++;
    this.listener?.learned(keys.name, place, hash);
    return undefined;
  }

  isFull(known: Set<number>): boolean {
    return known.size >= this.#options.keysMax;
  }

  /** 53 bits under seeds of this collector, so that nobody outside can choose names that look alike. */
  #hashOf(bytes: Uint8Array): number {
    let high = this.#seeds[0] | 0;
    let low = this.#seeds[1] | 0;
    for (const byte of bytes) {
      high = Math.imul(high ^ byte, 0x5bd1e995) ^ (high >>> 13);
      low = Math.imul(low ^ byte, 0x01000193) ^ (low >>> 15);
    }
    return ((high >>> 0) & 0x1fffff) * 2 ** 32 + (low >>> 0);
  }
}

/** The keys of one service. */
export class ServiceKeys {
  usedMs: number;
  /** Undefined for those that share a place. */
  readonly name: string | undefined;
  readonly #budget: KeyBudget;
  readonly #places = Object.values(KeyPlace).map(() => ({
    known: new Set<number>(),
    /** Runs come again and again: each is looked at once. */
    splits: new WeakMap<KeyShape, KeySplit>(),
  }));

  constructor(budget: KeyBudget, usedMs = 0, name?: string) {
    this.#budget = budget;
    this.usedMs = usedMs;
    this.name = name;
  }

  known(place: KeyPlace): Set<number> {
    return this.#places[place]!.known;
  }

  get size(): number {
    return this.#places.reduce((sum, { known }) => sum + known.size, 0);
  }

  get isFull(): boolean {
    return this.#places.some(({ known }) => this.#budget.isFull(known));
  }

  /** What becomes of a run of attributes; those that lose their key are counted. */
  split(place: KeyPlace, shape: KeyShape): KeySplit {
    const { splits } = this.#places[place]!;
    let split = splits.get(shape);
    if (split === undefined) {
      split = this.#budget.split(this, place, shape);
      splits.set(shape, split);
    }
    const { over, overTotal } = split;
    if (over.length > 0) {
      this.#budget.overflowed.service += over.length - overTotal;
      this.#budget.overflowed.total += overTotal;
    }
    return split;
  }
}
