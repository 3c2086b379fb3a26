import type { FieldId, FieldTable } from '../model/fields.ts';
import { limits } from '../model/limits.ts';
import { Span, type SpanBatch } from '../model/span-batch.ts';
import { Category, type SpanEvents } from '../model/span-events.ts';
import type { RestoreOutcome, Stateful } from './state.ts';

/**
 * Tells model calls that restate the tokens of a model call below them, as frameworks do. A span ends before the one above it and so is
 * sent before it; where it comes later all the same, both count.
 */
export class UsageWrappers implements Stateful {
  readonly #tokens: readonly FieldId[];
  /** Spans above model calls that said their tokens, the oldest first. */
  readonly #parents = new Set<string>();
  #journal: string[] = [];

  constructor(fields: FieldTable) {
    this.#tokens = ['gen_ai.usage.input_tokens', 'gen_ai.usage.output_tokens'].map((name) => fields.intern(name));
  }

  /** Marks those in a batch. To be called before anybody asks for what they used. */
  mark(events: SpanEvents): void {
    const { batch } = events;
    const calls: number[] = [];
    for (let span = 0; span < batch.spanCount; span++) {
      if ((events.categories(span) & Category.llm) === 0) continue;
      if (this.#tokens.every((field) => events.value(span, field) === undefined)) continue;
      calls.push(span);
      const parent = batch.spans[span * Span.stride + Span.parentSpanId]!;
      if (parent < 0) continue;
      const key = keyOf(batch, span, parent);
      if (this.#parents.has(key)) continue;
      this.#journal.push(key);
      this.#add(key);
    }
    if (this.#parents.size === 0) return;
    const ownKey = (span: number) => keyOf(batch, span, batch.spans[span * Span.stride + Span.spanId]!);
    const wrappers = calls.filter((span) => this.#parents.has(ownKey(span)));
    if (wrappers.length > 0) events.wrappers = new Set(wrappers);
  }

  takeJournal(): Uint8Array {
    const journal = bytesOf(this.#journal);
    this.#journal = [];
    return journal;
  }

  dropJournal(): void {
    this.#journal = [];
  }

  replay(journal: Uint8Array): void {
    for (const key of keysIn(journal)) this.#add(key);
  }

  snapshot(): Uint8Array {
    return bytesOf([...this.#parents]);
  }

  restore(snapshot: Uint8Array): RestoreOutcome {
    if (snapshot.length % keyBytes !== 0) return { status: 'unreadable' };
    this.#parents.clear();
    this.replay(snapshot);
    return { status: 'restored', rules: 0 };
  }

  #add(key: string): void {
    this.#parents.add(key);
    if (this.#parents.size > limits.usageParentsMax) this.#parents.delete(this.#parents.values().next().value!);
  }
}

function keyOf(batch: SpanBatch, span: number, idAt: number): string {
  return batch.hex(batch.spans[span * Span.stride + Span.traceId]!, 16) + batch.hex(idAt, 8);
}

/** A trace id and a span id. */
const keyBytes = 24;

function bytesOf(keys: readonly string[]): Uint8Array {
  return keys.length === 0 ? empty : Buffer.from(keys.join(''), 'hex');
}

function keysIn(bytes: Uint8Array): string[] {
  const buffer = Buffer.from(bytes);
  const count = Math.floor(buffer.length / keyBytes);
  return Array.from({ length: count }, (_, i) => buffer.toString('hex', i * keyBytes, (i + 1) * keyBytes));
}

const empty = new Uint8Array(0);
