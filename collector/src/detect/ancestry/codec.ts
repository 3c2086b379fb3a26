import type { FieldTable } from '../../model/fields.ts';
import type { Value } from '../../model/value.ts';
import { encodeState } from '../correlate/snapshot.ts';
import { StateWriter } from '../correlate/state-bytes.ts';
import type { SpanIdentity } from '../span-identity.ts';
import { type KeptFields, type KeptValues, packValue } from './kept.ts';
import type { Programs } from './program.ts';
import { noSlot, type SpanTable } from './span-table.ts';
import type { Trace } from './traces.ts';
import type { Verdict } from './verdict.ts';
import type { Ask, Shown, Waiting } from './waiting.ts';
import { createWords, nanosBetween, type SpanWords } from './words.ts';

/** The base fields and the rules stand on top, so that a reader with other rules finds what is still of use. */
export interface Head {
  readonly format: number;
  readonly kind: StateKind;
  readonly bases: readonly string[];
  readonly rules: readonly string[];
}

export type StateKind = 'journal' | 'snapshot';

export const format = 2;

/** The low bits of an entry's first byte. A part ends where bounds were kept. */
export const kinds = { span: 0, waiting: 1, part: 2, time: 3, flush: 4, asks: 5, turn: 6 } as const;
export const kindMask = 7;
/** Its high bits: what of a span needs no saying. */
export const flags = { hasParent: 8, sameTrace: 16, sameParent: 32, nearEnd: 64, sameFields: 128 } as const;

/** Spans of which chains know more than the store: how an ancestor is written. */
export const [isKept, isHidden] = [0, 1] as const;

/** Tags of values: almost all are texts, not there, or as in the fields before. */
export const [absentValue, textValue, otherValue, sameValue] = [0, 1, 2, 3] as const;

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
  #hiddenCount = 0;
  /** What rules ask of spans that wait, written together: it is much the same for all of them. */
  #packed: PackedWaiting[] = [];
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

  /** All that is known of a trace. */
  trace(trace: Trace): void {
    this.#writer.byte(kinds.turn | (trace === this.#lastTrace ? flags.sameTrace : 0));
    if (trace !== this.#lastTrace) this.#trace(trace);
    this.#writer.varint(trace.turn);
    for (let slot = trace.first; slot !== noSlot; slot = this.#table.next[slot]!) {
      this.#span(kinds.span, trace, this.#wordsOf(slot), this.#table.fields[slot]!);
    }
    for (const waiting of trace.waiting ?? []) if (!waiting.decided) this.waiting(waiting);
    // While others have their turn the table may use the rows again.
    this.#hidden.clear();
  }

  waiting(waiting: Waiting): void {
    const { trace, chain, isStuck, identity, asks } = waiting;
    this.#span(kinds.waiting, trace, { ...this.#words, ...wordsOfWaiting(waiting) }, waiting.fields);
    const writer = this.#writer;
    writer.byte(isStuck ? 1 : 0);
    writer.varint(chain.length);
    for (const slot of chain) this.#ancestor(trace, slot);
    this.#packed.push({ identity, asks: asks.map((ask) => this.#packAsk(ask)) });
  }

  part(): void {
    this.#asks();
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
    this.#asks();
    return this.#writer.done();
  }

  get length(): number {
    return this.#writer.length;
  }

  /** What was written since the last call. */
  take(): Uint8Array {
    this.#asks();
    return this.#writer.take();
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

  #asks(): void {
    if (this.#packed.length === 0) return;
    this.#writer.byte(kinds.asks);
    this.#writer.bytes(encodeState(this.#packed));
    this.#packed = [];
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
    writer.varint(known ?? this.#hiddenCount);
    if (known !== undefined) return;
    this.#hidden.set(slot, this.#hiddenCount++);
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

export interface PackedWaiting {
  readonly identity: SpanIdentity | undefined;
  readonly asks: readonly PackedAsk[];
}

export interface PackedAsk {
  readonly rule: number;
  readonly own: readonly Verdict[];
  readonly values: ReadonlyMap<string, Value>;
  readonly shown?: Shown;
}

function wordsOfWaiting(waiting: Waiting): Omit<SpanWords, 'trace0' | 'trace1' | 'trace2' | 'trace3'> {
  const { idHigh, idLow, hasParent, parentHigh, parentLow, endHigh, endLow } = waiting;
  return { idHigh, idLow, hasParent, parentHigh, parentLow, endHigh, endLow };
}
