import type { FieldId, FieldTable } from '../../model/fields.ts';
import { limits } from '../../model/limits.ts';

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
  /** By name; the one that came last stands last. */
  readonly #services = new Map<string, ServiceKeys>();
  /** Services for which there is no place share this. */
  readonly #others: ServiceKeys;
  readonly #seeds = [Math.random() * 2 ** 32, Math.random() * 2 ** 32] as const;
  #keys = 0;

  constructor(options: KeyBudgetOptions) {
    this.#options = {
      now: Date.now,
      totalMax: limits.attributeKeysMax,
      servicesMax: limits.attributeKeyServicesMax,
      ...options,
    };
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
    const service = new ServiceKeys(this, now);
    this.#services.set(name, service);
    return service;
  }

  #forgetIdle(now: number): void {
    for (const [name, service] of this.#services) {
      if (now - service.usedMs < idleMs) return;
      this.#services.delete(name);
      this.#keys -= service.size;
    }
  }

  split(known: Set<number>, { fields, order }: KeyShape): KeySplit {
    const kept: number[] = [];
    const over: number[] = [];
    let overTotal = 0;
    for (const place of order) {
      const reason = this.#reasonAgainst(known, fields[place]!);
      if (reason === undefined) kept.push(place);
      else over.push(place);
      if (reason === 'total') overTotal++;
    }
    return { kept: over.length === 0 ? order : Uint16Array.from(kept), over: Uint16Array.from(over), overTotal };
  }

  #reasonAgainst(known: Set<number>, field: FieldId): OverflowReason | undefined {
    const { fields, keysMax, totalMax } = this.#options;
    if (fields.isPermanent(field)) return undefined;
    const hash = this.#hashOf(fields.encodedName(field));
    if (known.has(hash)) return undefined;
    if (known.size >= keysMax) return 'service';
    if (this.#keys >= totalMax) return 'total';
    known.add(hash);
    this.#keys++;
    return undefined;
  }

  isFull(known: Set<number>): boolean {
    return known.size >= this.#options.keysMax;
  }

  /** 53 bits under seeds of this process, so that nobody outside can choose names that look alike. */
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
  readonly #budget: KeyBudget;
  readonly #places = Object.values(KeyPlace).map(() => ({
    known: new Set<number>(),
    /** Runs come again and again: each is looked at once. */
    splits: new WeakMap<KeyShape, KeySplit>(),
  }));

  constructor(budget: KeyBudget, usedMs = 0) {
    this.#budget = budget;
    this.usedMs = usedMs;
  }

  get size(): number {
    return this.#places.reduce((sum, { known }) => sum + known.size, 0);
  }

  get isFull(): boolean {
    return this.#places.some(({ known }) => this.#budget.isFull(known));
  }

  /** What becomes of a run of attributes; those that lose their key are counted. */
  split(place: KeyPlace, shape: KeyShape): KeySplit {
    const { known, splits } = this.#places[place]!;
    let split = splits.get(shape);
    if (split === undefined) {
      split = this.#budget.split(known, shape);
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
