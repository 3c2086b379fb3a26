import type { FieldTable } from '../../model/fields.ts';
import { limits } from '../../model/limits.ts';
import { Link, Span } from '../../model/span-batch.ts';
import type { SpanEvents } from '../../model/span-events.ts';
import { valueText } from '../../model/value.ts';
import { conversationKey, traceKey } from './sighting.ts';

/** Two keys that stand for the same story. */
export type Tie = readonly [string, string];

/** A span that links to more traces than this collects work from everywhere: its links join nothing. */
const linksMax = 4;

/**
 * What the spans of a batch say about which trace belongs to which conversation, and which trace goes on another: a
 * finding may stand on a span that says neither. Only spans of agents are asked.
 */
export function createTieReader(fields: FieldTable): (events: SpanEvents) => readonly Tie[] {
  const conversation = fields.intern('gen_ai.conversation.id');
  const service = fields.intern('service.name');
  return (events) => {
    const { batch } = events;
    const ties = new Map<string, Tie>();
    /** Where the trace id stands whose conversation is known; spans of one trace mostly stand together. */
    let known = -1;
    for (let span = 0; span < batch.spanCount; span++) {
      const row = span * Span.stride;
      const at = batch.spans[row + Span.traceId]!;
      const linkCount = batch.spans[row + Span.linkCount]!;
      const links = linkCount > linksMax ? 0 : linkCount;
      const isKnown = known >= 0 && isSameId(batch.bytes, known, at);
      if (at < 0 || (isKnown && links <= 0) || events.categories(span) === 0) continue;
      const id = isKnown ? '' : valueText(events.value(span, conversation) ?? '');
      if (id === '' && links <= 0) continue;
      const trace = traceKey(batch.hex(at, 16));
      if (id !== '') {
        known = at;
        add(ties, [trace, conversationKey(id, valueText(events.value(span, service) ?? ''))]);
      }
      for (let link = 0; link < links; link++) {
        const linked = batch.links[(batch.spans[row + Span.links]! + link) * Link.stride + Link.traceId]!;
        if (linked >= 0) add(ties, [trace, traceKey(batch.hex(linked, 16))]);
      }
    }
    return [...ties.values()];
  };
}

interface Tied {
  readonly near: Set<string>;
  /** When the key came, counted; tells it from the same key before it was forgotten. */
  readonly number: number;
}

/** Remembers ties in both directions; the oldest are forgotten. */
export class Ties {
  readonly #near = new Map<string, Tied>();
  /** Keys as they came, from `#head` on: finding the first entry of a map gets slower with each that was deleted before it. */
  #queue: { readonly key: string; readonly number: number }[] = [];
  #head = 0;
  #numbers = 0;

  get size(): number {
    return this.#near.size;
  }

  /** False when it was known, or when the two have too many already. */
  add([a, b]: Tie): boolean {
    if (a === b || this.#of(a)?.has(b) || (this.#of(b)?.size ?? 0) >= tiesPerKeyMax) return false;
    if ((this.#of(a)?.size ?? 0) >= tiesPerKeyMax) return false;
    this.#join(a, b);
    this.#join(b, a);
    while (this.#near.size > limits.caseTiesMax) this.#forgetOldest();
    return true;
  }

  /** The keys and all that are tied to them, through others too, up to a bound. */
  expand(keys: readonly string[]): readonly string[] {
    const all = new Set(keys);
    for (const key of all) {
      for (const near of this.#of(key) ?? []) if (all.size < expandedMax) all.add(near);
    }
    return [...all];
  }

  list(): readonly (readonly [string, readonly string[]])[] {
    return [...this.#near].map(([key, { near }]) => [key, [...near]]);
  }

  restore(list: readonly (readonly [string, readonly string[]])[]): void {
    this.#near.clear();
    this.#queue = [];
    this.#head = 0;
    for (const [key, near] of list) this.#set(key, new Set(near));
  }

  #of(key: string): ReadonlySet<string> | undefined {
    return this.#near.get(key)?.near;
  }

  #set(key: string, near: Set<string>): void {
    const number = this.#numbers++;
    this.#near.set(key, { near, number });
    this.#queue.push({ key, number });
  }

  #join(a: string, b: string): void {
    const tied = this.#near.get(a);
    if (tied) tied.near.add(b);
    else this.#set(a, new Set([b]));
  }

  #forgetOldest(): void {
    const { key, number } = this.#queue[this.#head++]!;
    if (this.#head > limits.caseTiesMax) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    const tied = this.#near.get(key);
    if (tied?.number !== number) return;
    this.#near.delete(key);
    for (const other of tied.near) {
      const back = this.#near.get(other)?.near;
      back?.delete(key);
      if (back?.size === 0) this.#near.delete(other);
    }
  }
}

/** Traces of one conversation, mostly; a session of more is held together by the conversation in its findings. */
const tiesPerKeyMax = 256;
const expandedMax = 512;

function isSameId(bytes: Uint8Array, a: number, b: number): boolean {
  for (let index = 0; index < 16; index++) if (bytes[a + index] !== bytes[b + index]) return false;
  return true;
}

function add(ties: Map<string, Tie>, tie: Tie): void {
  ties.set(`${tie[0]} ${tie[1]}`, tie);
}
