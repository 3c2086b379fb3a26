import type { FieldId, FieldTable } from '../../model/fields.ts';
import { limits } from '../../model/limits.ts';
import type { SpanBatch } from '../../model/span-batch.ts';
import type { SpanEvents } from '../../model/span-events.ts';
import { isList, type Value } from '../../model/value.ts';
import { ancestryField, type Reach } from './fields.ts';
import type { KeptValues } from './kept.ts';

/** `root`: the last span is the topmost one. `cut`: nothing more will be known. */
export type ChainEnd = 'open' | 'root' | 'cut';

/** What is known of the spans above a span. */
export interface Chain {
  readonly end: ChainEnd;
  /** How many are known. */
  readonly length: number;
  /** The values of the parent at 0, of its parent at 1, and so on. */
  valuesAt(place: number): KeptValues;
  /** The values of the span itself. */
  readonly self: KeptValues;
}

/** A base field of the spans that a reach stands for: of ancestors the members of all of them, the nearest first. */
export function reachedValue(chain: Chain, reach: Reach, base: number): Value | undefined {
  const { length } = chain;
  if (reach === 'parent') return length === 0 ? undefined : chain.valuesAt(0)[base];
  // The topmost span is the span itself when it has no parent.
  if (reach === 'root') {
    return chain.end !== 'root' ? undefined : (length === 0 ? chain.self : chain.valuesAt(length - 1))[base];
  }
  const members: Value[] = [];
  let found = false;
  for (let place = 0; place < length; place++) {
    const value = chain.valuesAt(place)[base];
    if (value === undefined) continue;
    found = true;
    for (const member of isList(value) ? value : [value]) {
      if (members.length < limits.fieldMembersMax) members.push(member);
    }
  }
  return found ? members : undefined;
}

/** A chain as rules see it: one event whose fields are those of the ancestors, and the few of the span's own that were kept. */
export class ReachedEvents implements SpanEvents {
  readonly batch: SpanBatch = noBatch;
  chain: Chain | undefined;
  own: ReadonlyMap<FieldId, Value> = new Map();
  readonly #slots: ReadonlyMap<FieldId, { readonly reach: Reach; readonly base: number }>;

  constructor(names: readonly string[], bases: readonly string[], fields: FieldTable) {
    this.#slots = new Map(
      names.map((name) => {
        const { reach, base } = ancestryField(name)!;
        return [fields.intern(name), { reach, base: bases.indexOf(base) }];
      }),
    );
  }

  value(_span: number, field: FieldId): Value | undefined {
    const slot = this.#slots.get(field);
    if (slot === undefined) return this.own.get(field);
    return this.chain && reachedValue(this.chain, slot.reach, slot.base);
  }

  categories(): number {
    return 0;
  }

  texts(): readonly string[] {
    return [];
  }
}

const noBatch = { spanCount: 0 } as SpanBatch;
