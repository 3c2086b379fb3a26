import type { FieldId, FieldTable } from '../../model/fields.ts';
import type { GrownList } from '../../model/grown-list.ts';
import type { RepeatedListsBounds } from '../../model/repeated-lists.ts';
import type { SpanBatch } from '../../model/span-batch.ts';
import { isList, type Value } from '../../model/value.ts';
import { type Message, parseMessages, type Role } from '../messages.ts';
import { isAbsent } from '../redaction.ts';
import { type Correction, type Dialect, elsewhere, type Reading } from './dialect.ts';
import { canonicalAttributes, type Form, formOf, messagesJson } from './form.ts';
import { growthOf } from './grown-values.ts';
import { type Recognised, Recogniser } from './recogniser.ts';
import { BatchSpanSource } from './span-source.ts';
import { TranslatedList } from './translated-list.ts';

/** How one canonical field is read, dialect by dialect, in the order of asking. */
interface FieldReadings {
  readonly readings: readonly { readonly bit: number; readonly read: Reading }[];
  readonly form: Form;
  /** The dialects that say it. */
  readonly bits: number;
}

/** A tool that gives nothing has given its result. */
const emptyCounts = 'gen_ai.tool.call.result';

const messageFields = ['gen_ai.input.messages', 'gen_ai.output.messages'] as const;
export type MessageField = (typeof messageFields)[number];

/** What went wrong with spans of dialects, since the start. */
export interface TranslationFaults {
  /** Values that have no form of their canonical attribute. */
  malformedValues: number;
  /** Readings that threw: faults of ours. */
  failedReadings: number;
}

/**
 * The canonical fields of spans that speak another dialect. It reads only what is asked for, and asks the recognised dialects
 * in their order; each field comes from exactly one of them, or texts would double.
 */
export class Translator {
  readonly faults: TranslationFaults = { malformedValues: 0, failedReadings: 0 };
  readonly #dialects: readonly Dialect[];
  readonly #recogniser: Recogniser;
  readonly #source: BatchSpanSource;
  readonly #table: FieldTable;
  readonly #fields = new Map<string, FieldReadings>();
  readonly #corrections = new Map<string, FieldCorrections>();
  readonly #correctableBy = new Map<number, readonly string[]>();
  /** Bits of the dialects that are canonical. */
  readonly #canonical: number;
  /** Bits of the dialects that correct anything. */
  #correcting = 0;
  readonly #fieldsOf = new Map<number, readonly { readonly name: string; readonly field: FieldId }[]>();
  readonly #recognised: Recognised = { categories: 0, dialects: 0, operationRow: -1 };
  readonly #asked = new Set<string>();
  readonly #messages = new Map<string, readonly Message[]>();
  /** Messages that are the beginning of a conversation that goes on. */
  readonly #repeated = new WeakMap<readonly Message[], TranslatedList>();
  #batch!: SpanBatch;
  #span = -1;

  /**
   * @param canonical reads a canonical field of the span that the translator was turned to.
   * @param history how much is remembered of conversations
   */
  constructor(
    fields: FieldTable,
    dialects: readonly Dialect[],
    canonical: (name: string) => Value | undefined,
    history: Partial<RepeatedListsBounds> = {},
  ) {
    this.#dialects = dialects;
    this.#table = fields;
    this.#canonical = dialects.reduce((bits, { canonical }, i) => (canonical ? bits | (1 << i) : bits), 0);
    this.#recogniser = new Recogniser(fields, dialects);
    this.#source = new BatchSpanSource(fields, canonical, history);
    for (const name of canonicalAttributes) {
      const readings = readingsOf(dialects, name);
      const bits = readings.reduce((all, { bit }) => all | bit, 0);
      if (readings.length > 0) this.#fields.set(name, { readings, form: formOf(name), bits });
      const corrections = correctionsOf(dialects, name);
      if (corrections === undefined) continue;
      this.#corrections.set(name, corrections);
      this.#correcting |= corrections.bits;
    }
  }

  begin(batch: SpanBatch): void {
    this.#batch = batch;
    this.#span = -1;
    this.#recogniser.begin(batch);
    this.#source.begin();
  }

  /** What the names of a span's attributes tell. Valid until the next span is asked about. */
  recognise(span: number): Recognised {
    if (span !== this.#span) {
      this.#span = span;
      // Clearing makes a new table each time, also of an empty one.
      if (this.#messages.size > 0) this.#messages.clear();
      if (this.#asked.size > 0) this.#asked.clear();
      this.#recogniser.recognise(span, this.#recognised);
      if (this.#recognised.dialects !== 0) this.#source.turnTo(this.#batch, span);
    }
    return this.#recognised;
  }

  /** The field as a recognised dialect says it, in canonical form. */
  value(span: number, name: string): Value | undefined {
    const { dialects } = this.recognise(span);
    if (dialects === 0) return undefined;
    if (name === messageFields[0] || name === messageFields[1]) {
      const messages = this.messages(span, name);
      if (messages === undefined) return undefined;
      return this.#repeated.get(messages)?.json(messages.length) ?? messagesJson(messages);
    }
    return this.#read(name, dialects);
  }

  /**
   * What counts in place of the span's own canonical attribute: `null` when nothing does, `elsewhere` when dialects are to be asked,
   * undefined when its own value counts. Ask only where the span has one.
   */
  corrected(span: number, name: string): ReturnType<Correction> {
    const { dialects } = this.recognise(span);
    if ((dialects & this.#correcting) === 0) return undefined;
    const corrections = this.#corrections.get(name);
    if (corrections === undefined || (corrections.bits & dialects) === 0 || this.#asked.has(name)) return undefined;
    this.#asked.add(name);
    try {
      for (const { bit, read } of corrections.readings) {
        const raw = (bit & dialects) === 0 ? undefined : read(this.#source);
        if (raw === undefined) continue;
        if (raw === elsewhere) return elsewhere;
        return raw === null || isAbsent(raw) ? null : (this.#formed(name, raw) ?? null);
      }
    } catch {
      this.faults.failedReadings++;
    } finally {
      this.#asked.delete(name);
    }
    return undefined;
  }

  /** Names of attributes that the dialects of the span may correct. */
  correctable(span: number): readonly string[] {
    const { dialects } = this.recognise(span);
    if ((dialects & this.#correcting) === 0) return none;
    let names = this.#correctableBy.get(dialects);
    if (names === undefined) {
      names = [...this.#corrections].flatMap(([name, { bits }]) => ((bits & dialects) === 0 ? [] : [name]));
      this.#correctableBy.set(dialects, names);
    }
    return names;
  }

  /** Whether the span speaks canonical names alone, whoever sent it. */
  isCanonical(span: number): boolean {
    return (this.recognise(span).dialects & ~this.#canonical) === 0;
  }

  /** The same for lists of messages, parsed. */
  messages(span: number, name: MessageField): readonly Message[] | undefined {
    const { dialects } = this.recognise(span);
    if (dialects === 0) return undefined;
    const kept = this.#messages.get(name);
    if (kept !== undefined) return kept.length === 0 ? undefined : kept;
    let found: readonly Message[] = [];
    this.#read(name, dialects, (raw) => {
      const messages = this.#repeatedMessages(name, raw) ?? withParts(parseMessages(raw, bareRoleOf(name)));
      if (messages.length === 0) return undefined;
      found = messages;
      return true;
    });
    this.#messages.set(name, found);
    return found.length === 0 ? undefined : found;
  }

  /** The list of the conversation that begins with these messages; undefined for those that do not go on with one. */
  listOf(messages: readonly Message[]): GrownList<Message> | undefined {
    return this.#repeated.get(messages)?.list;
  }

  /** Canonical fields that the dialects of the span can say, by name. */
  fieldsOf(span: number): readonly { readonly name: string; readonly field: FieldId }[] {
    const { dialects } = this.recognise(span);
    if (dialects === 0) return none;
    let fields = this.#fieldsOf.get(dialects);
    if (fields === undefined) {
      const said = [...this.#fields].filter(([, { readings }]) => readings.some(({ bit }) => (bit & dialects) !== 0));
      fields = said.map(([name]) => ({ name, field: this.#table.intern(name) }));
      this.#fieldsOf.set(dialects, fields);
    }
    return fields;
  }

  /** Names of the dialects that the span speaks, in the order of asking, and the version of the first. */
  dialectOf(span: number): { readonly names: readonly string[]; readonly version: string } | undefined {
    const { dialects } = this.recognise(span);
    if (dialects === 0) return undefined;
    const all = this.#dialects.filter((_, i) => (dialects & (1 << i)) !== 0);
    const foreign = all.filter(({ older }) => older === undefined);
    const spoken = foreign.length > 0 ? foreign : all;
    const version = spoken[0]!.version?.(this.#source);
    return {
      names: spoken.map(({ name }) => name),
      version: typeof version === 'string' ? version : this.#source.scopeVersion,
    };
  }

  /** Flattened keys that could not be put together, since the start. */
  get droppedKeys(): number {
    return this.#source.droppedKeys;
  }

  /** What calls send again is not translated again. */
  #repeatedMessages(name: MessageField, raw: Value): readonly Message[] | undefined {
    const members = name === messageFields[0] && isList(raw) ? growthOf(raw) : undefined;
    if (members === undefined) return undefined;
    const list = TranslatedList.of(members);
    const messages = list.messages((raw as readonly Value[]).length);
    this.#repeated.set(messages, list);
    return messages;
  }

  #formed(name: string, raw: Value): Value | undefined {
    if (name !== messageFields[0] && name !== messageFields[1]) return formOf(name)(raw);
    const messages = withParts(parseMessages(raw, bareRoleOf(name)));
    return messages.length === 0 ? undefined : messagesJson(messages);
  }

  #read(name: string, dialects: number, form?: Form): Value | undefined {
    const field = this.#fields.get(name);
    if (field === undefined || (field.bits & dialects) === 0 || this.#asked.has(name)) return undefined;
    // A reading may ask for other fields, and those for this one again.
    this.#asked.add(name);
    try {
      for (const { bit, read } of field.readings) {
        if ((bit & dialects) === 0) continue;
        const raw = read(this.#source);
        if (raw === undefined || (isAbsent(raw) && !(raw === '' && name === emptyCounts))) continue;
        const value = (form ?? field.form)(raw);
        if (value !== undefined) return value;
        this.faults.malformedValues++;
      }
    } catch {
      this.faults.failedReadings++;
    } finally {
      this.#asked.delete(name);
    }
    return undefined;
  }
}

function readingsOf(dialects: readonly Dialect[], name: string): FieldReadings['readings'] {
  const of = (table: (dialect: Dialect) => Dialect['lastResort']) =>
    dialects.flatMap((dialect, i) => {
      const fields = table(dialect);
      return fields !== undefined && Object.hasOwn(fields, name) ? [{ bit: 1 << i, read: fields[name]! }] : [];
    });
  return [...of(({ fields }) => fields), ...of(({ lastResort }) => lastResort)];
}

interface FieldCorrections {
  readonly bits: number;
  readonly readings: readonly { readonly bit: number; readonly read: Correction }[];
}

function correctionsOf(dialects: readonly Dialect[], name: string): FieldCorrections | undefined {
  const readings = dialects.flatMap(({ corrects }, i) =>
    corrects !== undefined && Object.hasOwn(corrects, name) ? [{ bit: 1 << i, read: corrects[name]! }] : [],
  );
  return readings.length === 0 ? undefined : { bits: readings.reduce((all, { bit }) => all | bit, 0), readings };
}

function withParts(messages: readonly Message[]): readonly Message[] {
  return messages.filter(({ parts }) => parts.length > 0);
}

function bareRoleOf(name: MessageField): Role {
  return name === 'gen_ai.output.messages' ? 'assistant' : 'user';
}

const none: readonly never[] = [];
