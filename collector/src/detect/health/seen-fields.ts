import type { FieldId, FieldTable } from '../../model/fields.ts';
import { limits } from '../../model/limits.ts';
import type { SeenField } from '../../model/rule-health.ts';
import { Attribute, Resource, Span, type SpanBatch } from '../../model/span-batch.ts';
import { Category, type SpanEvents } from '../../model/span-events.ts';

/**
 * The names of attributes that arrived, by category and day, so that a rule that waits for a name nobody sends can be told.
 * Names come from senders: only so many are kept, but those in `watched` always.
 */
export class SeenFields {
  readonly #fields: FieldTable;
  readonly #watched: ReadonlySet<string>;
  /** By the categories of a span: which ids were noted already, so that a span costs one look per attribute. */
  readonly #noted = new Map<number, Uint8Array<ArrayBuffer>>();
  #resources = new Uint8Array(0);
  #generation: number;
  #day = -1;
  #names = new Map<string, Set<string>>();
  #fresh: SeenField[] = [];
  /** Names left out because there were too many. */
  dropped = 0;

  constructor(fields: FieldTable, watched: ReadonlySet<string>) {
    this.#fields = fields;
    this.#watched = watched;
    this.#generation = fields.generation;
  }

  /** Call it for every span of a batch, with the span's categories. */
  note(events: SpanEvents, span: number, categories: number): void {
    const { batch } = events;
    const row = span * Span.stride;
    const count = batch.spans[row + Span.attributeCount]!;
    if (count <= 0) return;
    if (this.#generation !== this.#fields.generation) this.#forgetIds();
    let noted = this.#noted.get(categories) ?? nothingNoted;
    const { attributes } = batch;
    const first = batch.spans[row + Span.attributes]!;
    for (let index = first; index < first + count; index++) {
      const id = attributes[index * Attribute.stride + Attribute.field]!;
      if (noted[id] === 1) continue;
      if (id >= noted.length) {
        noted = grown(noted, this.#fields.size);
        this.#noted.set(categories, noted);
      }
      noted[id] = 1;
      for (const [category, bit] of categoryBits) if ((categories & bit) !== 0) this.#add(category, id);
    }
    this.#noteTranslated(events, span, categories, noted);
    this.#noteResource(batch, batch.spans[row + Span.resource]!);
  }

  /** What a span says in another dialect has arrived as well. */
  #noteTranslated(events: SpanEvents, span: number, categories: number, known: Uint8Array<ArrayBuffer>): void {
    let noted = known;
    for (const id of events.translatable?.(span) ?? []) {
      if (noted[id] === 1 || events.value(span, id) === undefined) continue;
      if (id >= noted.length) {
        noted = grown(noted, this.#fields.size);
        this.#noted.set(categories, noted);
      }
      noted[id] = 1;
      for (const [category, bit] of categoryBits) if ((categories & bit) !== 0) this.#add(category, id);
    }
  }

  /** Names that are new since the last call; on a new day (since the epoch) all begin anew. */
  take(day: number): SeenField[] {
    const fresh = this.#fresh;
    this.#fresh = [];
    if (day !== this.#day) {
      this.#day = day;
      this.#names = new Map();
      this.#forgetIds();
    }
    return fresh;
  }

  #noteResource(batch: SpanBatch, resource: number): void {
    if (resource < 0) return;
    const row = resource * Resource.stride;
    const first = batch.resources[row + Resource.attributes]!;
    const count = batch.resources[row + Resource.attributeCount]!;
    for (let index = first; index < first + count; index++) {
      const id = batch.attributes[index * Attribute.stride + Attribute.field]!;
      if (this.#resources[id] === 1) continue;
      if (id >= this.#resources.length) this.#resources = grown(this.#resources, this.#fields.size);
      this.#resources[id] = 1;
      this.#add('resource', id);
    }
  }

  #add(category: string, id: FieldId): void {
    const field = this.#fields.name(id);
    const names = this.#names.get(category) ?? new Set();
    this.#names.set(category, names);
    if (names.has(field)) return;
    if (!this.#watched.has(field)) {
      if (names.size >= limits.seenFieldsMax || field.length > limits.seenFieldCharsMax) {
        this.dropped++;
        return;
      }
    }
    names.add(field);
    this.#fresh.push({ category, field });
  }

  #forgetIds(): void {
    this.#generation = this.#fields.generation;
    this.#noted.clear();
    this.#resources = new Uint8Array(0);
  }
}

const nothingNoted = new Uint8Array(0);
const categoryBits = Object.entries(Category);

function grown(bits: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.max(64, size, bits.length * 2));
  larger.set(bits);
  return larger;
}
