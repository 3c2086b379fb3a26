import { byContents } from '../../model/by-contents.ts';
import type { FieldId, FieldTable } from '../../model/fields.ts';
import type { Redactor } from '../../model/redaction.ts';
import type { Session } from '../../model/session.ts';
import type { SpanEvents } from '../../model/span-events.ts';
import { isList, type Value, valueText } from '../../model/value.ts';
import type { RowWriter } from './rowbinary.ts';

/**
 * Derived facts of a span as Map(LowCardinality(String), Array(String)): what SQL cannot work out from the attributes, for
 * hunting. A fact that is absent is left out; spans without a category have none.
 */
export class FactMapWriter {
  readonly #factsOf: (events: SpanEvents, span: number) => readonly Fact[];
  readonly #redactor: Redactor | undefined;
  readonly #sessionName: Uint8Array;
  readonly #sourceName: Uint8Array;

  /** @param names at most 125, in the order in which they are stored. */
  constructor(fields: FieldTable, names: readonly string[], redactor?: Redactor) {
    this.#redactor = redactor;
    this.#sessionName = fields.encodedName(fields.intern('spanwarden.session'));
    this.#sourceName = fields.encodedName(fields.intern('spanwarden.session.source'));
    if (names.length > 125) throw new RangeError('more facts than the count has room for');
    const facts = [...names].sort().map((name): Fact => {
      const field = fields.intern(name);
      return { name, field, encoded: fields.encodedName(field), kept: new Set() };
    });
    this.#factsOf = byContents(facts, ({ field }) => field);
  }

  /** A fault in working a fact out must not cost the span: it is stored without facts then. */
  write(writer: RowWriter, events: SpanEvents | undefined, span: number): void {
    const countAt = writer.length;
    writer.u8(0);
    if (events === undefined || events.categories(span) === 0) return;
    try {
      const count = this.#entries(writer, events, span);
      writer.buffer[countAt] = count;
    } catch {
      writer.length = countAt + 1;
    }
  }

  #entries(writer: RowWriter, events: SpanEvents, span: number): number {
    let count = 0;
    for (const fact of this.#factsOf(events, span)) {
      const { field, encoded } = fact;
      const value = events.value(span, field);
      if (value === undefined) continue;
      count++;
      writer.raw(encoded, 0, encoded.length);
      if (!isList(value)) {
        writer.u8(1);
        this.#member(writer, fact, value);
        continue;
      }
      writer.varint(value.length);
      for (const member of value) this.#member(writer, fact, member);
    }
    return count + this.#session(writer, events.sessions?.get(span));
  }

  #member(writer: RowWriter, fact: Fact, member: Value): void {
    if (typeof member === 'number' && member >= 0 && member <= 0xffffffff && Number.isInteger(member)) {
      writer.digits(member);
      return;
    }
    const text = valueText(member);
    writer.string(typeof member === 'string' ? this.#stored(fact, text) : text);
  }

  /** Most facts have few different members, so that one look at each is enough. */
  #stored({ name, kept }: Fact, text: string): string {
    if (this.#redactor === undefined) return text;
    if (this.#redactor.hasTaken) return this.#redactor.derived(text, name);
    if (kept.has(text)) return text;
    const stored = this.#redactor.text(text, name);
    // A copy, as a part of a text keeps all of it in memory.
    if (stored === text && kept.size < keptMax && text.length <= keptCharsMax) kept.add(Buffer.from(text).toString());
    return stored;
  }

  /** Conversation and trace stand in columns of their own. */
  #session(writer: RowWriter, session: Session | undefined): number {
    if (session === undefined) return 0;
    for (const [name, text] of [
      [this.#sessionName, this.#redactor?.text(session.id) ?? session.id],
      [this.#sourceName, session.source],
    ] as const) {
      writer.raw(name, 0, name.length);
      writer.varint(1);
      writer.string(text);
    }
    return 2;
  }
}

interface Fact {
  readonly name: string;
  readonly field: FieldId;
  readonly encoded: Uint8Array;
  /** Members in which nothing is taken out, the first that came. */
  readonly kept: Set<string>;
}

const keptMax = 64;
const keptCharsMax = 64;
