import type { FieldTable } from '../../model/fields.ts';
import type { Value } from '../../model/value.ts';
import { decodeState } from '../correlate/snapshot.ts';
import { StateReader } from '../correlate/state-bytes.ts';
import type { SpanIdentity } from '../span-identity.ts';
import {
  absentValue,
  flags,
  format,
  type Head,
  isKept,
  kindMask,
  kinds,
  type PackedAsk,
  type PackedWaiting,
  type StateKind,
  sameValue,
  textValue,
} from './codec.ts';
import { type FieldsInterning, type KeptFields, type KeptValues, unpackValue } from './kept.ts';
import type { Program, Programs } from './program.ts';
import type { TraceWords } from './traces.ts';
import type { Ask } from './waiting.ts';
import { createWords, type SpanWords } from './words.ts';

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
  /** The trace stands in the queue by this number. */
  turn(trace: TraceWords, turn: number): void;
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
  #waitingRead: Omit<ReadWaiting, 'identity' | 'asks'>[] = [];

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
    else if (kind === kinds.asks) this.#asks();
    else if (kind === kinds.turn) this.#turn(first);
    else if (kind === kinds.part) this.#visitor.part();
    else if (kind === kinds.time) this.#visitor.time(BigInt.asUintN(64, this.#reader.bigint64()));
    else if (kind === kinds.flush) this.#visitor.flush();
    else throw new SyntaxError('an entry of no known kind');
  }

  #turn(head: number): void {
    if ((head & flags.sameTrace) === 0) this.#trace();
    this.#visitor.turn(this.#words, this.#reader.varint());
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
    this.#waitingRead.push({ words, fields, isStuck, chain });
  }

  #asks(): void {
    const all = decodeState(this.#reader.bytes()) as readonly PackedWaiting[];
    const waiting = this.#waitingRead;
    this.#waitingRead = [];
    if (!Array.isArray(all) || all.length !== waiting.length) throw new SyntaxError('more or less waits than is told');
    waiting.forEach((read, index) => {
      const { identity, asks } = all[index] as PackedWaiting;
      const known = asks.flatMap((ask) => this.#unpackAsk(ask));
      if (known.length > 0) this.#visitor.waiting({ ...read, identity, asks: known });
    });
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
