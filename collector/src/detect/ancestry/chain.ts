import type { FieldId, FieldTable } from '../../model/fields.ts';
import { limits } from '../../model/limits.ts';
import type { SpanBatch } from '../../model/span-batch.ts';
import type { SpanEvents } from '../../model/span-events.ts';
import { isList, type Value } from '../../model/value.ts';
import { ancestryField, type Reach } from './fields.ts';
import type { KeptSpan } from './kept.ts';

/** What is known of the spans above a span. */
export interface Chain {
  readonly self: KeptSpan;
  /** The parent, its parent and so on. */
  readonly spans: KeptSpan[];
  /** `root`: the last one is the topmost span. `cut`: nothing more will be known. */
  end: 'open' | 'root' | 'cut';
}

/** The chain of a span of which nothing else is known yet. A span that is its own parent has none. */
export function startChain(self: KeptSpan): Chain {
  return { self, spans: [], end: endAfter(self, [], self) };
}

/** The id of the span that would make the chain longer. */
export function nextOf({ self, spans }: Chain): string {
  return (spans.at(-1) ?? self).parentId;
}

export function extendChain(chain: Chain, span: KeptSpan): void {
  chain.spans.push(span);
  chain.end = endAfter(span, chain.spans, chain.self);
}

/** Ids are the sender's: they may run in a circle, or up without end. */
function endAfter(last: KeptSpan, spans: readonly KeptSpan[], self: KeptSpan): Chain['end'] {
  const { parentId } = last;
  if (parentId === '') return 'root';
  const circle = parentId === self.spanId || spans.some(({ spanId }) => spanId === parentId);
  return circle || spans.length >= limits.ancestryDepthMax ? 'cut' : 'open';
}

/** The topmost span, the span itself when it has no parent; undefined while it is not known. */
export function rootOf({ self, spans, end }: Chain): KeptSpan | undefined {
  return end === 'root' ? (spans.at(-1) ?? self) : undefined;
}

/** A base field of the spans that a reach stands for: of ancestors the members of all of them, the nearest first. */
export function reachedValue(chain: Chain, reach: Reach, base: number): Value | undefined {
  if (reach === 'parent') return chain.spans[0]?.values[base];
  if (reach === 'root') return rootOf(chain)?.values[base];
  const members: Value[] = [];
  let found = false;
  for (const { values } of chain.spans) {
    const value = values[base];
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
  own: ReadonlyMap<string, Value> = new Map();
  readonly #slots: ReadonlyMap<FieldId, { readonly reach: Reach; readonly base: number }>;
  readonly #fields: FieldTable;

  constructor(names: readonly string[], bases: readonly string[], fields: FieldTable) {
    this.#fields = fields;
    this.#slots = new Map(
      names.map((name) => {
        const { reach, base } = ancestryField(name)!;
        return [fields.intern(name), { reach, base: bases.indexOf(base) }];
      }),
    );
  }

  value(_span: number, field: FieldId): Value | undefined {
    const slot = this.#slots.get(field);
    if (slot === undefined) return this.own.get(this.#fields.name(field));
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
