import type { FieldId, FieldTable } from '../../model/fields.ts';
import type { RepeatedListsBounds } from '../../model/repeated-lists.ts';
import { Attribute, Event, Scope, Span, type SpanBatch } from '../../model/span-batch.ts';
import { type Value, type ValueMap, valueText } from '../../model/value.ts';
import { isAbsent } from '../redaction.ts';
import type { SourceEvent, SpanSource } from './dialect.ts';
import { KeyedHistory } from './keyed-history.ts';
import { KeyedNames, notBelow } from './keyed-names.ts';
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
  /** By prefix: as many as the dialects name. */
  readonly #names = new Map<string, KeyedNames>();
  readonly #history: KeyedHistory;
  #batch!: SpanBatch;
  #span = 0;

  /** @param history how much is remembered of lists that calls send again */
  constructor(
    fields: FieldTable,
    canonical: (field: string) => Value | undefined,
    history: Partial<RepeatedListsBounds> = {},
  ) {
    this.#fields = fields;
    this.#canonical = canonical;
    this.#history = new KeyedHistory(fields, history);
  }

  /** To be called before a batch. */
  begin(): void {
    this.#history.begin();
    for (const names of this.#names.values()) names.begin();
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
    const names = this.#namesOf(prefix);
    if (repeatedPrefixes.has(prefix)) {
      const known = this.#history.read(() => this.#session(prefix), names, this.#batch, this.#span);
      this.droppedKeys += known?.dropped ?? 0;
      if (known !== undefined) return known.members;
    }
    const batch = this.#batch;
    const at = this.#span * Span.stride;
    const first = batch.spans[at + Span.attributes]!;
    const tree = new Unflattener();
    for (let row = first; row < first + batch.spans[at + Span.attributeCount]!; row++) {
      const field = batch.attributes[row * Attribute.stride]!;
      if (names.numberOf(field) !== notBelow) tree.add(names.path(field), batch.attributeValue(row));
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

  #namesOf(prefix: string): KeyedNames {
    let names = this.#names.get(prefix);
    if (names === undefined) {
      names = new KeyedNames(this.#fields, prefix);
      names.begin();
      this.#names.set(prefix, names);
    }
    return names;
  }

  /** Under which a list of messages is remembered: conversation and trace are known whatever the messages say. */
  #session(prefix: string): string {
    const trace = this.#batch.spans[this.#span * Span.stride + Span.traceId]!;
    return `${prefix} ${valueText(this.#canonical('gen_ai.conversation.id') || this.#batch.hex(trace, 16))}`;
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

/** Lists of messages that calls send again and again. */
const repeatedPrefixes: ReadonlySet<string> = new Set(['llm.input_messages', 'gen_ai.prompt']);
