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
    const ties: Tie[] = [];
    /** The conversation of each trace so far, and the links. */
    const conversations = new Map<string, string>();
    const linked = new Set<string>();
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
        const key = conversationKey(id, valueText(events.value(span, service) ?? ''));
        if (conversations.get(trace) !== key) ties.push([trace, key]);
        conversations.set(trace, key);
      }
      for (let link = 0; link < links; link++) {
        const to = batch.links[(batch.spans[row + Span.links]! + link) * Link.stride + Link.traceId]!;
        if (to < 0) continue;
        const tie: Tie = [trace, traceKey(batch.hex(to, 16))];
        if (linked.size < linked.add(tie.join(' ')).size) ties.push(tie);
      }
    }
    return ties;
  };
}

interface Tied {
  readonly key: string;
  /** Most keys have one other: a trace its conversation. */
  near: string | Set<string>;
  isGone: boolean;
}

/** Remembers ties in both directions; the oldest are forgotten. */
export class Ties {
  readonly #keysMax: number;
  readonly #near = new Map<string, Tied>();
  /** Keys as they came, from `#head` on: finding the first entry of a map gets slower with each that was deleted before it. */
  #queue: Tied[] = [];
  #head = 0;

  /** @param keysMax traces and conversations that are remembered */
  constructor(keysMax: number = limits.caseTiesMax) {
    this.#keysMax = keysMax;
  }

  get size(): number {
    return this.#near.size;
  }

  /** False when it was known, or when the two have too many already. */
  add([a, b]: Tie): boolean {
    if (a === b) return false;
    const [ofA, ofB] = [this.#near.get(a), this.#near.get(b)];
    if (ofA && (hasNear(ofA, b) || countOf(ofA) >= tiesPerKeyMax)) return false;
    if (ofB && countOf(ofB) >= tiesPerKeyMax) return false;
    this.#join(ofA, a, b);
    this.#join(ofB, b, a);
    this.#forgetBeyond();
    return true;
  }

  /** Whether the two of a tie are tied to nothing but each other. */
  isAlone([a, b]: Tie): boolean {
    return this.#near.get(a)?.near === b && this.#near.get(b)?.near === a;
  }

  /** The keys and all that are tied to them, through others too, up to a bound. */
  expand(keys: readonly string[]): readonly string[] {
    const all = new Set(keys);
    for (const key of all) {
      for (const near of nearOf(this.#near.get(key))) if (all.size < expandedMax) all.add(near);
    }
    return [...all];
  }

  list(): readonly (readonly [string, readonly string[]])[] {
    return Array.from(this.#near.values(), (tied) => [tied.key, nearOf(tied)] as const);
  }

  restore(list: readonly (readonly [string, readonly string[]])[]): void {
    this.#near.clear();
    this.#queue = [];
    this.#head = 0;
    for (const [key, near] of list) this.#set(key, near.length === 1 ? near[0]! : new Set(near));
    // There may be less memory than when they were saved.
    this.#forgetBeyond();
  }

  #forgetBeyond(): void {
    while (this.#near.size > this.#keysMax) this.#forgetOldest();
  }

  #set(key: string, near: string | Set<string>): void {
    const tied: Tied = { key, near, isGone: false };
    this.#near.set(key, tied);
    this.#queue.push(tied);
  }

  #join(known: Tied | undefined, key: string, other: string): void {
    if (known === undefined) this.#set(key, other);
    else if (typeof known.near === 'string') known.near = new Set([known.near, other]);
    else known.near.add(other);
  }

  #forgetOldest(): void {
    const tied = this.#queue[this.#head++]!;
    if (this.#head > this.#keysMax) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    if (tied.isGone) return;
    this.#drop(tied);
    for (const other of nearOf(tied)) {
      const back = this.#near.get(other);
      if (back === undefined) continue;
      if (typeof back.near === 'object') {
        back.near.delete(tied.key);
        if (back.near.size > 0) continue;
      }
      this.#drop(back);
    }
  }

  #drop(tied: Tied): void {
    tied.isGone = true;
    this.#near.delete(tied.key);
  }
}

function nearOf(tied: Tied | undefined): readonly string[] {
  if (tied === undefined) return [];
  return typeof tied.near === 'string' ? [tied.near] : [...tied.near];
}

function hasNear({ near }: Tied, key: string): boolean {
  return typeof near === 'string' ? near === key : near.has(key);
}

function countOf({ near }: Tied): number {
  return typeof near === 'string' ? 1 : near.size;
}

/** Traces of one conversation, mostly; a session of more is held together by the conversation in its findings. */
const tiesPerKeyMax = 256;
const expandedMax = 512;

function isSameId(bytes: Uint8Array, a: number, b: number): boolean {
  for (let index = 0; index < 16; index++) if (bytes[a + index] !== bytes[b + index]) return false;
  return true;
}
