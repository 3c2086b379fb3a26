import type { FieldId, FieldTable } from '../../model/fields.ts';
import { Attribute, Event, Scope, Span, type SpanBatch, ValueType } from '../../model/span-batch.ts';
import { categoryByPresence } from '../categories.ts';
import type { Dialect } from './dialect.ts';

/** What one look over a span's attribute names tells: categories by presence, and the dialects it speaks. */
export interface Recognised {
  /** Categories of `categoryByPresence`. */
  categories: number;
  /** Bit i: the dialect at place i of the list; never negative. */
  dialects: number;
  /** Row of `gen_ai.operation.name`, or -1. */
  operationRow: number;
}

/** Marks what was looked at; the bits below it are dialects, or categories and the two that follow. */
const known = 1 << 31;
const operationBit = 1 << 30;
const genAiBit = 1 << 29;
export const dialectsMax = 31;

/**
 * Tells which dialects a span speaks. A span costs one table look-up per attribute: names are classified once, scopes and
 * resources once per batch.
 */
export class Recogniser {
  readonly #fields: FieldTable;
  readonly #attributes: NameTable;
  readonly #categories: NameTable;
  readonly #scopes: NameTable;
  readonly #events: NameTable;
  readonly #resource: readonly { readonly field: FieldId; readonly value: string; readonly bits: number }[];
  /** Two words by field id: categories, 0 for a name that was not looked at yet, and dialects. */
  #flags = new Int32Array(8192);
  #generation = -1;
  #batch!: SpanBatch;
  #scopeBits = new Int32Array(16);
  #resourceBits = new Int32Array(16);

  constructor(fields: FieldTable, dialects: readonly Dialect[]) {
    if (dialects.length > dialectsMax) throw new RangeError(`more than ${dialectsMax} dialects`);
    this.#fields = fields;
    const bitsOf = (names: (dialect: Dialect) => readonly string[] | undefined): [string, number][] =>
      dialects.flatMap((dialect, i) => (names(dialect) ?? []).map((name): [string, number] => [name, 1 << i]));
    this.#attributes = new NameTable(bitsOf(({ marks }) => marks.attributes));
    this.#categories = new NameTable([
      ...categoryByPresence.map(([name, category]): [string, number] => [name, category]),
      ['gen_ai.operation.name', operationBit],
      ['gen_ai.*', genAiBit],
    ]);
    this.#scopes = new NameTable(bitsOf(({ marks }) => marks.scopes));
    this.#events = new NameTable(bitsOf(({ marks }) => marks.events));
    this.#resource = dialects.flatMap(({ marks }, i) =>
      (marks.resource ?? []).map(([name, value]) => ({
        field: fields.intern(name),
        value,
        bits: 1 << i,
      })),
    );
  }

  begin(batch: SpanBatch): void {
    this.#batch = batch;
    if (this.#generation !== this.#fields.generation) this.#flags.fill(0);
    this.#generation = this.#fields.generation;
    this.#scopeBits.fill(0);
    this.#resourceBits.fill(0);
  }

  recognise(span: number, into: Recognised): void {
    const { spans, attributes } = this.#batch;
    const at = span * Span.stride;
    const first = spans[at + Span.attributes]!;
    const end = first + spans[at + Span.attributeCount]!;
    let bits = 0;
    let dialects = this.#scope(span) | this.#resourceOf(spans[at + Span.resource]!, span);
    into.operationRow = -1;
    for (let row = first; row < end; row++) {
      const field = attributes[row * Attribute.stride]!;
      const found = this.#flags[field * 2] || this.#classify(field);
      bits |= found;
      dialects |= this.#flags[field * 2 + 1]!;
      if ((found & operationBit) !== 0) into.operationRow = row;
    }
    if ((bits & genAiBit) !== 0 && spans[at + Span.eventCount] !== 0) dialects |= this.#eventBits(at);
    into.categories = bits & 0xff;
    into.dialects = dialects & ~known;
  }

  #classify(field: FieldId): number {
    if (field * 2 >= this.#flags.length) {
      const larger = new Int32Array(Math.max(field * 2 + 2, this.#flags.length * 2));
      larger.set(this.#flags);
      this.#flags = larger;
    }
    const name = this.#fields.name(field);
    const bits = this.#categories.bitsOf(name) | known;
    this.#flags[field * 2] = bits;
    this.#flags[field * 2 + 1] = this.#attributes.bitsOf(name);
    return bits;
  }

  #scope(span: number): number {
    const scope = this.#batch.spans[span * Span.stride + Span.scope]!;
    const remembered = this.#scopeBits[scope];
    if (remembered) return remembered;
    const at = scope * Scope.stride;
    const { scopes } = this.#batch;
    const bits =
      this.#scopes.bitsOf(this.#batch.text(scopes[at + Scope.name]!, scopes[at + Scope.nameLength]!)) | known;
    this.#scopeBits = remember(this.#scopeBits, scope, bits);
    return bits;
  }

  #resourceOf(resource: number, span: number): number {
    const remembered = this.#resourceBits[resource];
    if (remembered) return remembered;
    let bits = known;
    for (const mark of this.#resource) {
      const row = this.#batch.findResourceAttribute(span, mark.field);
      if (row < 0 || this.#batch.attributes[row * Attribute.stride + Attribute.type] !== ValueType.string) continue;
      if (this.#batch.attributeValue(row) === mark.value) bits |= mark.bits;
    }
    this.#resourceBits = remember(this.#resourceBits, resource, bits);
    return bits;
  }

  #eventBits(at: number): number {
    const { spans, events } = this.#batch;
    const first = spans[at + Span.events]!;
    let bits = 0;
    for (let row = first; row < first + spans[at + Span.eventCount]!; row++) {
      const event = row * Event.stride;
      bits |= this.#events.bitsOf(this.#batch.text(events[event + Event.name]!, events[event + Event.nameLength]!));
    }
    return bits;
  }
}

function remember(bits: Int32Array<ArrayBuffer>, index: number, value: number): Int32Array<ArrayBuffer> {
  let kept = bits;
  if (index >= bits.length) {
    kept = new Int32Array(Math.max(index + 1, bits.length * 2));
    kept.set(bits);
  }
  kept[index] = value;
  return kept;
}

/** Names, exact or by their beginning (`x.*`), with the bits they stand for. */
class NameTable {
  readonly #exact = new Map<string, number>();
  readonly #prefixes: (readonly [prefix: string, bits: number])[] = [];

  constructor(names: readonly (readonly [string, number])[]) {
    for (const [name, bits] of names) {
      if (name.endsWith('*')) this.#prefixes.push([name.slice(0, -1), bits]);
      else this.#exact.set(name, (this.#exact.get(name) ?? 0) | bits);
    }
  }

  bitsOf(name: string): number {
    let bits = this.#exact.get(name) ?? 0;
    for (const [prefix, more] of this.#prefixes) if (name.startsWith(prefix)) bits |= more;
    return bits;
  }
}
