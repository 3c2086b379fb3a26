import type { FieldId, FieldTable } from '../../model/fields.ts';
import { Attribute, Event, Scope, Span, type SpanBatch } from '../../model/span-batch.ts';
import type { Value, ValueMap } from '../../model/value.ts';
import { isAbsent } from '../redaction.ts';
import type { SourceEvent, SpanSource } from './dialect.ts';
import { Unflattener } from './unflatten.ts';

/** A span of a batch as dialects read it. One object serves all spans; `turnTo` points it at the next. */
export class BatchSpanSource implements SpanSource {
  readonly body = undefined;
  /** Flattened keys that could not be put together, since the start. */
  droppedKeys = 0;
  readonly #fields: FieldTable;
  readonly #canonical: (field: string) => Value | undefined;
  /** Ids of the names that readings ask for: as many as the dialects name. */
  readonly #ids = new Map<string, FieldId>();
  #batch!: SpanBatch;
  #span = 0;

  constructor(fields: FieldTable, canonical: (field: string) => Value | undefined) {
    this.#fields = fields;
    this.#canonical = canonical;
  }

  turnTo(batch: SpanBatch, span: number): void {
    this.#batch = batch;
    this.#span = span;
  }

  get name(): string {
    return this.#text(this.#batch.spans, this.#span * Span.stride + Span.name);
  }

  get scopeName(): string {
    return this.#text(this.#batch.scopes, this.#scopeAt + Scope.name);
  }

  get scopeVersion(): string {
    return this.#text(this.#batch.scopes, this.#scopeAt + Scope.version);
  }

  get failed(): boolean {
    return this.#batch.spans[this.#span * Span.stride + Span.statusCode] === 2;
  }

  get statusMessage(): string {
    return this.#text(this.#batch.spans, this.#span * Span.stride + Span.statusMessage);
  }

  attribute(name: string): Value | undefined {
    return this.#present(this.#batch.findSpanAttribute(this.#span, this.#idOf(name)));
  }

  isEmpty(name: string): boolean {
    const row = this.#batch.findSpanAttribute(this.#span, this.#idOf(name));
    return row >= 0 && this.#batch.attributeValue(row) === '';
  }

  resource(name: string): Value | undefined {
    return this.#present(this.#batch.findResourceAttribute(this.#span, this.#idOf(name)));
  }

  tree(prefix: string): Value | undefined {
    const batch = this.#batch;
    const at = this.#span * Span.stride;
    const first = batch.spans[at + Span.attributes]!;
    const start = `${prefix}.`;
    const tree = new Unflattener();
    for (let row = first; row < first + batch.spans[at + Span.attributeCount]!; row++) {
      const name = this.#fields.name(batch.attributes[row * Attribute.stride]!);
      if (name.startsWith(start)) tree.add(name.slice(start.length).split('.'), batch.attributeValue(row));
    }
    const value = tree.take();
    this.droppedKeys += tree.dropped;
    return value;
  }

  events(...names: readonly string[]): readonly SourceEvent[] {
    const batch = this.#batch;
    const at = this.#span * Span.stride;
    const first = batch.spans[at + Span.events]!;
    const found: SourceEvent[] = [];
    for (let row = first; row < first + batch.spans[at + Span.eventCount]!; row++) {
      const event = row * Event.stride;
      const name = this.#text(batch.events, event + Event.name);
      if (names.includes(name)) found.push({ name, attributes: this.#eventAttributes(event) });
    }
    return found;
  }

  canonical(field: string): Value | undefined {
    return this.#canonical(field);
  }

  #eventAttributes(event: number): ValueMap {
    const { events, attributes } = this.#batch;
    const first = events[event + Event.attributes]!;
    const map: Record<string, Value> = Object.create(null);
    for (let row = first; row < first + events[event + Event.attributeCount]!; row++) {
      map[this.#fields.name(attributes[row * Attribute.stride]!)] = this.#batch.attributeValue(row);
    }
    return map;
  }

  #present(row: number): Value | undefined {
    if (row < 0) return undefined;
    const value = this.#batch.attributeValue(row);
    return isAbsent(value) ? undefined : value;
  }

  get #scopeAt(): number {
    return this.#batch.spans[this.#span * Span.stride + Span.scope]! * Scope.stride;
  }

  #text(rows: ArrayLike<number>, column: number): string {
    return this.#batch.text(rows[column]!, rows[column + 1]!);
  }

  #idOf(name: string): FieldId {
    let id = this.#ids.get(name);
    if (id === undefined) {
      id = this.#fields.intern(name);
      this.#ids.set(name, id);
    }
    return id;
  }
}
