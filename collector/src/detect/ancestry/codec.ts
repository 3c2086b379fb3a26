import type { FieldTable } from '../../model/fields.ts';
import type { Value } from '../../model/value.ts';
import { decodeState, encodeState } from '../correlate/snapshot.ts';
import { StateReader, StateWriter } from '../correlate/state-bytes.ts';
import type { SpanIdentity } from '../span-identity.ts';
import { type FieldsInterning, type KeptFields, type KeptValues, packValue, unpackValue } from './kept.ts';
import type { Program, Programs } from './program.ts';
import type { SpanTable } from './span-table.ts';
import type { Trace } from './traces.ts';
import type { Verdict } from './verdict.ts';
import type { Ask, Shown, Waiting } from './waiting.ts';
import { createWords, nanosBetween, type SpanWords } from './words.ts';

/** The base fields and the rules stand on top, so that a reader with other rules finds what is still of use. */
interface Head {
  readonly format: number;
  readonly kind: StateKind;
  readonly bases: readonly string[];
  readonly rules: readonly string[];
}

export type StateKind = 'journal' | 'snapshot';

const format = 2;

/** The low bits of an entry's first byte. A part ends where bounds were kept. */
const kinds = { span: 0, waiting: 1, part: 2, time: 3, flush: 4 } as const;
const kindMask = 7;
/** Its high bits: what of a span needs no saying. */
const flags = { hasParent: 8, sameTrace: 16, sameParent: 32, nearEnd: 64, sameFields: 128 } as const;

/** Spans of which chains know more than the store: how an ancestor is written. */
const [isKept, isHidden] = [0, 1] as const;

/** Tags of values: almost all are texts, not there, or as in the fields before. */
const [absentValue, textValue, otherValue, sameValue] = [0, 1, 2, 3] as const;

let journals = 0;

/** Writes what happened, entry by entry: traces and fields once, then as numbers; times as what lies between them. */
export class EntryWriter {
  readonly #writer = new StateWriter();
  /** Its number, by which traces and fields tell whether they are in it. */
  readonly #journal = ++journals;
  readonly #programs: Programs;
  readonly #table: SpanTable;
  readonly #nameOf: FieldTable['name'];
  #traces = 0;
  #fields = 0;
  readonly #hidden = new Map<number, number>();
  #lastTrace: Trace | undefined;
  #lastFields: KeptFields | undefined;
  #lastValues: KeptValues = [];
  readonly #last = createWords();
  readonly #words = createWords();

  constructor(kind: StateKind, programs: Programs, table: SpanTable, fields: FieldTable) {
    this.#programs = programs;
    this.#table = table;
    this.#nameOf = (id) => fields.name(id);
    const rules = programs.programs.map(({ signature }) => signature);
    const head: Head = { format, kind, bases: programs.bases, rules };
    this.#writer.text(JSON.stringify(head));
  }

  span(trace: Trace, words: SpanWords, fields: KeptFields): void {
    this.#span(kinds.span, trace, words, fields);
  }

  /** A span in the table. */
  row(trace: Trace, slot: number): void {
    this.#span(kinds.span, trace, this.#wordsOf(slot), this.#table.fields[slot]!);
  }

  waiting(waiting: Waiting): void {
    const { trace, chain, isStuck, identity, asks } = waiting;
    this.#span(kinds.waiting, trace, { ...this.#words, ...wordsOfWaiting(waiting) }, waiting.fields);
    const writer = this.#writer;
    writer.byte(isStuck ? 1 : 0);
    writer.varint(chain.length);
    for (const slot of chain) this.#ancestor(trace, slot);
    writer.bytes(encodeState({ identity, asks: asks.map((ask) => this.#packAsk(ask)) } satisfies PackedWaiting));
  }

  part(): void {
    this.#writer.byte(kinds.part);
  }

  time(newestNanos: bigint): void {
    this.#writer.byte(kinds.time);
    this.#writer.bigint64(BigInt.asIntN(64, newestNanos));
  }

  flush(): void {
    this.#writer.byte(kinds.flush);
  }

  done(): Uint8Array {
    return this.#writer.done();
  }

  #span(kind: number, trace: Trace, words: SpanWords, fields: KeptFields): void {
    const writer = this.#writer;
    const last = this.#last;
    const between = nanosBetween(last.endHigh, last.endLow, words.endHigh, words.endLow);
    const isNear = Math.abs(between) < nearNanos;
    const isSibling = words.parentLow === last.parentLow && words.parentHigh === last.parentHigh;
    let head = kind;
    if (words.hasParent) head |= flags.hasParent | (isSibling ? flags.sameParent : 0);
    if (trace === this.#lastTrace) head |= flags.sameTrace;
    if (isNear) head |= flags.nearEnd;
    if (fields === this.#lastFields) head |= flags.sameFields;
    writer.byte(head);
    if (trace !== this.#lastTrace) this.#trace(trace);
    writer.uint32(words.idHigh);
    writer.uint32(words.idLow);
    if (words.hasParent && !isSibling) {
      writer.uint32(words.parentHigh);
      writer.uint32(words.parentLow);
    }
    if (isNear) writer.varint(between < 0 ? -between * 2 - 1 : between * 2);
    else {
      writer.uint32(words.endHigh);
      writer.uint32(words.endLow);
    }
    if (fields !== this.#lastFields) this.#values(fields);
    last.parentHigh = words.parentHigh;
    last.parentLow = words.parentLow;
    last.endHigh = words.endHigh;
    last.endLow = words.endLow;
  }

  #trace(trace: Trace): void {
    this.#lastTrace = trace;
    if (trace.journal === this.#journal) {
      this.#writer.varint(trace.place);
      return;
    }
    trace.journal = this.#journal;
    trace.place = this.#traces++;
    this.#writer.varint(trace.place);
    for (const word of [trace.trace0, trace.trace1, trace.trace2, trace.trace3]) this.#writer.uint32(word);
  }

  #values(fields: KeptFields): void {
    const writer = this.#writer;
    this.#lastFields = fields;
    if (fields.journal === this.#journal) {
      writer.varint(fields.place);
      return;
    }
    fields.journal = this.#journal;
    fields.place = this.#fields++;
    writer.varint(fields.place);
    fields.values.forEach((value, base) => {
      if (value === undefined) writer.byte(absentValue);
      else if (value === this.#lastValues[base]) writer.byte(sameValue);
      else if (typeof value === 'string') {
        writer.byte(textValue);
        writer.text(value);
      } else {
        writer.byte(otherValue);
        writer.text(JSON.stringify(packValue(value)));
      }
    });
    this.#lastValues = fields.values;
  }

  /** Almost all are the span that the store has under the parent's id; the others are written out, once. */
  #ancestor(trace: Trace, slot: number): void {
    const writer = this.#writer;
    const table = this.#table;
    if (table.find(trace.number, table.idHigh[slot]!, table.idLow[slot]!) === slot) {
      writer.byte(isKept);
      return;
    }
    writer.byte(isHidden);
    const known = this.#hidden.get(slot);
    writer.varint(known ?? this.#hidden.size);
    if (known !== undefined) return;
    this.#hidden.set(slot, this.#hidden.size);
    this.#span(kinds.span, trace, this.#wordsOf(slot), table.fields[slot]!);
  }

  #wordsOf(slot: number): SpanWords {
    const table = this.#table;
    const words = this.#words;
    words.idHigh = table.idHigh[slot]!;
    words.idLow = table.idLow[slot]!;
    words.hasParent = table.hasParent(slot);
    words.parentHigh = table.parentHigh[slot]!;
    words.parentLow = table.parentLow[slot]!;
    words.endHigh = table.endHigh[slot]!;
    words.endLow = table.endLow[slot]!;
    return words;
  }

  #packAsk({ program, own, values, shown }: Ask): PackedAsk {
    const named = new Map([...values].map(([field, value]) => [this.#nameOf(field), value] as const));
    return { rule: this.#programs.programs.indexOf(program), own, values: named, ...(shown && { shown }) };
  }
}

/** About a day: so far apart, an end is written as what lies between it and the one before. */
const nearNanos = 2 ** 47;

interface PackedWaiting {
  readonly identity: SpanIdentity | undefined;
  readonly asks: readonly PackedAsk[];
}

interface PackedAsk {
  readonly rule: number;
  readonly own: readonly Verdict[];
  readonly values: ReadonlyMap<string, Value>;
  readonly shown?: Shown;
}

/** A span as it is read; `words` is used for the next one as well. */
export interface ReadSpan {
  readonly words: SpanWords;
  readonly fields: KeptFields;
}

export interface ReadWaiting extends ReadSpan {
  readonly isStuck: boolean;
  /** From the parent up: a number for a span that is not kept any more, undefined for the one kept under the next id. */
  readonly chain: readonly (number | undefined)[];
  readonly identity: SpanIdentity | undefined;
  readonly asks: Ask[];
}

/** Hears of the entries in their order. */
export interface EntryVisitor {
  span(read: ReadSpan): void;
  /** A span that is not kept any more, for the chains after it; the first is 0. */
  hidden(read: ReadSpan): void;
  waiting(read: ReadWaiting): void;
  part(): void;
  time(newestNanos: bigint): void;
  flush(): void;
}

export interface ReadOptions {
  readonly programs: Programs;
  readonly interning: FieldsInterning;
  readonly fields: FieldTable;
}

/**
 * Reads what `EntryWriter` wrote and returns how many of its rules are there. What waits for a rule that is gone or has
 * changed is left out. Throws a SyntaxError on other bytes, perhaps after some entries.
 */
export function readEntries(bytes: Uint8Array, kind: StateKind, options: ReadOptions, visitor: EntryVisitor): number {
  const reader = new StateReader(bytes);
  const head = JSON.parse(reader.text()) as Partial<Head>;
  if (head.format !== format || head.kind !== kind || !Array.isArray(head.bases) || !Array.isArray(head.rules)) {
    throw new SyntaxError(`no ancestry ${kind} of this format`);
  }
  const read = new EntryReader(reader, head as Head, options, visitor);
  while (!reader.atEnd) read.next();
  return options.programs.programs.filter(({ signature }) => (head as Head).rules.includes(signature)).length;
}

class EntryReader {
  readonly #reader: StateReader;
  readonly #head: Head;
  readonly #options: ReadOptions;
  readonly #visitor: EntryVisitor;
  /** Where the base fields of now stand in what is read. */
  readonly #places: readonly number[];
  readonly #programs: ReadonlyMap<string, Program>;
  readonly #traces: (readonly number[])[] = [];
  readonly #fields: KeptFields[] = [];
  readonly #words = createWords();
  #lastFields: KeptFields | undefined;
  #lastValues: KeptValues = [];
  #hidden = 0;

  constructor(reader: StateReader, head: Head, options: ReadOptions, visitor: EntryVisitor) {
    this.#reader = reader;
    this.#head = head;
    this.#options = options;
    this.#visitor = visitor;
    this.#places = options.programs.bases.map((base) => head.bases.indexOf(base));
    this.#programs = new Map(options.programs.programs.map((program) => [program.signature, program]));
  }

  next(): void {
    const first = this.#reader.byte();
    const kind = first & kindMask;
    if (kind === kinds.span) this.#visitor.span(this.#span(first));
    else if (kind === kinds.waiting) this.#waiting(first);
    else if (kind === kinds.part) this.#visitor.part();
    else if (kind === kinds.time) this.#visitor.time(BigInt.asUintN(64, this.#reader.bigint64()));
    else if (kind === kinds.flush) this.#visitor.flush();
    else throw new SyntaxError('an entry of no known kind');
  }

  #span(head: number): ReadSpan {
    const reader = this.#reader;
    const words = this.#words;
    if ((head & flags.sameTrace) === 0) this.#trace();
    words.idHigh = reader.uint32();
    words.idLow = reader.uint32();
    words.hasParent = (head & flags.hasParent) !== 0;
    if (!words.hasParent) words.parentHigh = words.parentLow = 0;
    else if ((head & flags.sameParent) === 0) {
      words.parentHigh = reader.uint32();
      words.parentLow = reader.uint32();
    }
    if ((head & flags.nearEnd) !== 0) {
      const zigzag = reader.varint();
      const low = words.endLow + (zigzag % 2 === 1 ? -(zigzag + 1) / 2 : zigzag / 2);
      words.endHigh = (words.endHigh + Math.floor(low / 2 ** 32)) >>> 0;
      words.endLow = low - Math.floor(low / 2 ** 32) * 2 ** 32;
    } else {
      words.endHigh = reader.uint32();
      words.endLow = reader.uint32();
    }
    if ((head & flags.sameFields) === 0) this.#lastFields = this.#fieldsAt(reader.varint());
    if (this.#lastFields === undefined) throw new SyntaxError('a span without fields');
    return { words, fields: this.#lastFields };
  }

  #trace(): void {
    const reader = this.#reader;
    const place = reader.varint();
    if (place === this.#traces.length) {
      this.#traces.push([reader.uint32(), reader.uint32(), reader.uint32(), reader.uint32()]);
    }
    const trace = this.#traces[place];
    if (trace === undefined) throw new SyntaxError('a trace of no known number');
    const [trace0, trace1, trace2, trace3] = trace as [number, number, number, number];
    Object.assign(this.#words, { trace0, trace1, trace2, trace3 });
  }

  #fieldsAt(place: number): KeptFields {
    if (place === this.#fields.length) {
      const values = this.#head.bases.map((_, base) => this.#value(base));
      this.#lastValues = values;
      this.#fields.push(this.#options.interning.of(this.#places.map((at) => values[at])));
    }
    const fields = this.#fields[place];
    if (fields === undefined) throw new SyntaxError('fields of no known number');
    return fields;
  }

  #value(base: number): Value | undefined {
    const tag = this.#reader.byte();
    if (tag === absentValue) return undefined;
    if (tag === sameValue) return this.#lastValues[base];
    return tag === textValue ? this.#reader.text() : unpackValue(JSON.parse(this.#reader.text()));
  }

  #waiting(head: number): void {
    const reader = this.#reader;
    const { fields } = this.#span(head);
    const words = { ...this.#words };
    const isStuck = reader.byte() === 1;
    const chain = Array.from({ length: reader.count() }, () => this.#ancestor());
    const { identity, asks } = decodeState(reader.bytes()) as PackedWaiting;
    const known = asks.flatMap((ask) => this.#unpackAsk(ask));
    if (known.length > 0) this.#visitor.waiting({ words, fields, isStuck, chain, identity, asks: known });
  }

  #ancestor(): number | undefined {
    if (this.#reader.byte() === isKept) return undefined;
    const place = this.#reader.varint();
    if (place > this.#hidden) throw new SyntaxError('an ancestor of no known number');
    if (place === this.#hidden) {
      this.#hidden++;
      this.#visitor.hidden(this.#span(this.#reader.byte()));
    }
    return place;
  }

  #unpackAsk({ rule, own, values, shown }: PackedAsk): Ask[] {
    const program = this.#programs.get(this.#head.rules[rule]!);
    if (program === undefined) return [];
    const { fields } = this.#options;
    const byId = new Map([...values].map(([name, value]) => [fields.intern(name), value] as const));
    const seen = program.perAncestor.map(() => 0);
    return [{ program, own, values: byId, seen, ...(shown && { shown }) }];
  }
}

function wordsOfWaiting(waiting: Waiting): Omit<SpanWords, 'trace0' | 'trace1' | 'trace2' | 'trace3'> {
  const { idHigh, idLow, hasParent, parentHigh, parentLow, endHigh, endLow } = waiting;
  return { idHigh, idLow, hasParent, parentHigh, parentLow, endHigh, endLow };
}
