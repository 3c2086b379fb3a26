import type { FieldId, FieldTable } from '../model/fields.ts';
import { Attribute, Span, type SpanBatch, ValueType } from '../model/span-batch.ts';
import { sourcesOf } from './derivations.ts';
import { messageFields } from './message-fields.ts';
import { taxonomy } from './taxonomy.ts';

/** What every span has, for fields that cannot be told from attributes. */
const always = 1;
/** Says of a field that it was looked at. */
const known = 1 << 30;
/** Of a span that cannot be told by the names of its attributes. */
export const everything = known - 1;

/**
 * Tells in one look at the names of a span's attributes that facts cannot be there, so that nobody works out what comes to
 * nothing: most spans have none of the contents that most facts come from.
 */
export class Presence {
  readonly #fields: FieldTable;
  /** Attributes that facts come from, each with a bit. */
  readonly #sources = new Map<string, number>();
  /** By field: what has to be there for it, and what its own being there says. */
  readonly #needs: number[] = [];
  readonly #says: number[] = [];
  #generation = 0;

  constructor(fields: FieldTable) {
    this.#fields = fields;
    const facts = taxonomy.filter(({ kind }) => kind === 'fact');
    const names = new Set([...messageSources, ...facts.flatMap(({ name }) => sourcesOf(name) ?? [])]);
    // Beyond the bits of a number one stands for all that are left.
    for (const name of names) this.#sources.set(name, 1 << Math.min(this.#sources.size + 1, 29));
  }

  begin(): void {
    if (this.#generation === this.#fields.generation) return;
    this.#generation = this.#fields.generation;
    this.#needs.fill(0);
    this.#says.fill(0);
  }

  /** Bits of which one must be among those of a span for the field to have a value. */
  needs(field: FieldId): number {
    return (this.#needs[field] || this.#learn(field)) & everything;
  }

  /** What the attributes of a span are, as bits. */
  of({ spans, attributes }: SpanBatch, span: number): number {
    const first = spans[span * Span.stride + Span.attributes]!;
    const end = (first + spans[span * Span.stride + Span.attributeCount]!) * Attribute.stride;
    let bits = always;
    for (let at = first * Attribute.stride; at < end; at += Attribute.stride) {
      // The names of its members are paths that continue its own.
      if (attributes[at + Attribute.type] === ValueType.map) return everything;
      bits |= this.#says[attributes[at + Attribute.field]!] || this.#say(attributes[at + Attribute.field]!);
    }
    return bits;
  }

  #learn(field: FieldId): number {
    const name = this.#fields.name(field);
    const sources = name in messageFields ? messageSources : ofContent.test(name) ? sourcesOf(name) : undefined;
    for (let at = this.#needs.length; at <= field; at++) this.#needs.push(0);
    let bits = known;
    for (const source of sources ?? []) bits |= this.#sources.get(source) ?? always;
    if (sources === undefined) bits |= always;
    this.#needs[field] = bits;
    return bits;
  }

  #say(field: FieldId): number {
    const bits = (this.#sources.get(this.#fields.name(field)) ?? 0) | known;
    for (let at = this.#says.length; at <= field; at++) this.#says.push(0);
    this.#says[field] = bits;
    return bits;
  }
}

const messageSources = ['gen_ai.system_instructions', 'gen_ai.input.messages', 'gen_ai.output.messages'];
/** Facts that are worked out from the span's own contents alone. */
const ofContent = /^spanwarden\.(?:text|argument|proposed|effect|outgoing|content|output|flow|values|usage|tool)\./;
