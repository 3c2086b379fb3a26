import type { FieldId, FieldTable } from '../model/fields.ts';
import { Attribute, Event, Span, type SpanBatch, ValueType } from '../model/span-batch.ts';
import type { SpanEvents } from '../model/span-events.ts';
import type { Value } from '../model/value.ts';
import { valueText } from '../model/value.ts';
import { categoryByPresence, operationCategories } from './categories.ts';
import { type FieldReader, fieldReader } from './fields.ts';
import { textsIn } from './json-value.ts';
import { SpanFacts } from './span-facts.ts';

/**
 * The normaliser's view of a batch for rules; see `SpanEvents`. One object serves every batch: `bind` points it at the
 * next. Values are remembered for the span that was asked about last, so ask span by span.
 */
export class NormalisedEvents implements SpanEvents {
  batch!: SpanBatch;
  readonly #fields: FieldTable;
  readonly #operation: FieldId;
  readonly #presence: readonly (readonly [FieldId, number])[];
  readonly #readers: (FieldReader | undefined)[] = [];
  /** Values of the current span by field id; `#stamps` tells which of them are of this span. */
  readonly #values: (Value | undefined)[] = [];
  readonly #stamps: number[] = [];
  #stamp = 0;
  #span = -1;
  readonly #facts = new SpanFacts((name) => this.value(this.#span, this.#idOf(name)));

  /** Ids of the few attributes that facts read, so that their names are hashed once. */
  readonly #ids = new Map<string, FieldId>();

  constructor(fields: FieldTable) {
    this.#fields = fields;
    this.#operation = fields.intern('gen_ai.operation.name');
    this.#presence = categoryByPresence.map(([name, category]) => [fields.intern(name), category]);
  }

  bind(batch: SpanBatch): this {
    this.batch = batch;
    this.#turnTo(-1);
    return this;
  }

  value(span: number, field: FieldId): Value | undefined {
    if (span !== this.#span) this.#turnTo(span);
    if (this.#stamps[field] === this.#stamp) return this.#values[field];
    let reader = this.#readers[field];
    if (reader === undefined) {
      reader = fieldReader(this.#fields.name(field), this.#fields);
      this.#readers[field] = reader;
    }
    const value = reader(this.batch, span, this.#facts);
    this.#values[field] = value;
    this.#stamps[field] = this.#stamp;
    return value;
  }

  categories(span: number): number {
    let categories = 0;
    const operation = this.batch.findSpanAttribute(span, this.#operation);
    if (operation >= 0) categories |= operationCategories(valueText(this.batch.attributeValue(operation)));
    for (const [field, category] of this.#presence) {
      if (this.batch.findSpanAttribute(span, field) >= 0) categories |= category;
    }
    return categories;
  }

  texts(span: number): readonly string[] {
    const batch = this.batch;
    const at = span * Span.stride;
    const texts = [
      batch.text(batch.spans[at + Span.name]!, batch.spans[at + Span.nameLength]!),
      batch.text(batch.spans[at + Span.statusMessage]!, batch.spans[at + Span.statusMessageLength]!),
    ];
    this.#attributeTexts(batch.spans[at + Span.attributes]!, batch.spans[at + Span.attributeCount]!, texts);
    const firstEvent = batch.spans[at + Span.events]!;
    for (let row = firstEvent; row < firstEvent + batch.spans[at + Span.eventCount]!; row++) {
      const event = row * Event.stride;
      texts.push(batch.text(batch.events[event + Event.name]!, batch.events[event + Event.nameLength]!));
      this.#attributeTexts(batch.events[event + Event.attributes]!, batch.events[event + Event.attributeCount]!, texts);
    }
    return texts;
  }

  #attributeTexts(first: number, count: number, into: string[]): void {
    for (let row = first; row < first + count; row++) {
      const value = this.batch.attributeValue(row);
      const type = this.batch.attributes[row * Attribute.stride + Attribute.type];
      if (type === ValueType.array || type === ValueType.map) into.push(...textsIn(value));
      else if (value !== null) into.push(valueText(value));
    }
  }

  #idOf(name: string): FieldId {
    let id = this.#ids.get(name);
    if (id === undefined) {
      id = this.#fields.intern(name);
      this.#ids.set(name, id);
    }
    return id;
  }

  #turnTo(span: number): void {
    this.#span = span;
    this.#stamp++;
    this.#facts.reset();
  }
}
