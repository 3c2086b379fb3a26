import type { FieldId, FieldTable } from '../../model/fields.ts';
import { GrownList } from '../../model/grown-list.ts';
import { limits } from '../../model/limits.ts';
import type { RepeatedListsBounds } from '../../model/repeated-lists.ts';
import { type Remembered, SessionMemory } from '../../model/session-memory.ts';
import { Attribute, Span, type SpanBatch, ValueType } from '../../model/span-batch.ts';
import type { Value } from '../../model/value.ts';
import { isMap } from '../json-value.ts';
import { listedMessagesMin } from '../message-history.ts';
import { noteGrowth } from './grown-values.ts';
import { type KeyedNames, notBelow } from './keyed-names.ts';
import { Unflattener } from './unflatten.ts';

/** A list whose members have attributes of their own, as a call sent it. */
export interface KeyedMembers {
  readonly members: readonly Value[];
  /** Keys that could not be put together. */
  readonly dropped: number;
}

/** Such a list as it came last, and what its members are. */
interface Kept extends Remembered {
  /** The request from the first value to the end of the last one, whatever stands between them. */
  bytes: Buffer;
  readonly rows: KeyedRows;
  readonly list: GrownList<Value>;
  /** Keys that could not be put together of each member and those before it. */
  readonly dropped: number[];
}

/**
 * Calls of a model repeat the conversation also where each part of a message is an attribute, `<prefix>.<number>.<key>`. Members
 * that came before in the same session are not put together again: they are the same objects as then. Known is a member when the decoder
 * found the same names, places and lengths for it and all before it, and the bytes there are the same. What comes out is what putting
 * all together gives; lists that have anything unusual are left to that.
 */
export class KeyedHistory {
  readonly #fields: FieldTable;
  readonly #memory: SessionMemory<Kept>;
  readonly #listBytesMax: number;
  #generation = -1;
  #sent = new KeyedRows();

  constructor(fields: FieldTable, bounds: Partial<RepeatedListsBounds> = {}) {
    this.#fields = fields;
    this.#memory = new SessionMemory(bounds);
    this.#listBytesMax = bounds.listBytesMax ?? limits.repeatedListBytesMax;
  }

  /** About what is kept, in bytes. */
  get weight(): number {
    return this.#memory.weight;
  }

  /** To be called before a batch: ids of names may be others. */
  begin(): void {
    if (this.#generation !== this.#fields.generation) this.#memory.clear();
    this.#generation = this.#fields.generation;
  }

  /** The members of the list that `names` are about; undefined where they are to be put together without this. */
  read(session: () => string, names: KeyedNames, batch: SpanBatch, span: number): KeyedMembers | undefined {
    const sent = this.#sent;
    const first = sent.take(names, batch, span);
    const { count } = sent;
    if (count < listedMessagesMin || sent.bytesOf(count) > this.#listBytesMax) return undefined;
    const key = session();
    const [best, known] = longest(this.#memory.of(key), sent, batch.bytes, first);
    const added: Value[] = [];
    const dropped: number[] = [];
    for (let member = known; member < count; member++) {
      const tree = new Unflattener();
      for (let at = sent.from(member); at < sent.ends[member]!; at++)
        tree.add(names.path(sent.field(at)).slice(1), batch.text(first + sent.start(at), sent.length(at)));
      const value = tree.take();
      // Of others a list of messages makes more than one message.
      if (!isMap(value)) return undefined;
      added.push(value);
      dropped.push(tree.dropped);
    }
    const goesOn = best !== undefined && (known === best.rows.count || known === count);
    const kept = goesOn ? best : this.#begun(best, known);
    for (const [i, value] of added.entries()) {
      kept.list.items.push(value);
      kept.dropped.push((kept.dropped.at(-1) ?? 0) + dropped[i]!);
    }
    if (added.length > 0) this.#grow(kept, batch.bytes, first);
    this.#memory.keep(key, kept);
    const members = kept.list.items.slice(0, count);
    noteGrowth(members, kept.list);
    return { members, dropped: kept.dropped[count - 1]! };
  }

  /** A list of its own that begins with the first members of another one. */
  #begun(other: Kept | undefined, members: number): Kept {
    const kept: Kept = {
      ...{ bytes: Buffer.alloc(0), rows: new KeyedRows(), dropped: other?.dropped.slice(0, members) ?? [] },
      ...{ list: new GrownList<Value>((bytes) => this.#memory.weigh(kept, bytes)), weight: 0, isForgotten: false },
    };
    if (other !== undefined) for (let at = 0; at < members; at++) kept.list.items.push(other.list.items[at]!);
    return kept;
  }

  /** Copies what was sent and is not kept yet. */
  #grow(kept: Kept, bytes: Buffer, first: number): void {
    const [rows, sent] = [kept.rows, this.#sent];
    const before = rows.bytesOf(rows.count);
    const weight = weightOf(kept);
    const length = sent.bytesOf(sent.count);
    if (length > kept.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(length + (length >> 2));
      kept.bytes.copy(larger, 0, 0, before);
      kept.bytes = larger;
    }
    bytes.copy(kept.bytes, before, first + before, first + length);
    rows.growTo(sent);
    this.#memory.weigh(kept, weightOf(kept) - weight);
  }
}

/** The values that were read take about as much as their bytes. */
function weightOf({ bytes, rows, list }: Kept): number {
  return bytes.length + rows.bytesOf(rows.count) + rows.weight + list.items.length * memberBytes;
}

/** The list that begins with the most members of those that were sent, and how many. */
function longest(
  all: readonly Kept[],
  sent: KeyedRows,
  bytes: Buffer,
  first: number,
): readonly [best: Kept | undefined, members: number] {
  let [best, most]: [Kept | undefined, number] = [undefined, 0];
  for (const kept of all) {
    const members = equalMembers(kept, sent, bytes, first);
    if (members > most) [best, most] = [kept, members];
  }
  return [best, most];
}

/** How many members from the first on are the same. */
function equalMembers(kept: Kept, sent: KeyedRows, bytes: Buffer, first: number): number {
  const isEqual = (members: number): boolean => {
    const length = sent.bytesOf(members);
    return bytes.compare(kept.bytes, 0, length, first, first + length) === 0;
  };
  let high = kept.rows.equalMembers(sent);
  if (isEqual(high)) return high;
  let low = 0;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (isEqual(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** The attributes of a list, in their order: of each the name, the place of its value from that of the first one, and the length. */
class KeyedRows {
  #rows = new Int32Array(rowsMin * stride);
  /** How many belong to each member and those before it. */
  readonly ends: number[] = [];

  /** How many members there are. */
  get count(): number {
    return this.ends.length;
  }

  get weight(): number {
    return this.#rows.byteLength + this.ends.length * 8;
  }

  field(at: number): FieldId {
    return this.#rows[at * stride]!;
  }

  start(at: number): number {
    return this.#rows[at * stride + 1]!;
  }

  length(at: number): number {
    return this.#rows[at * stride + 2]!;
  }

  /** The first attribute of a member. */
  from(member: number): number {
    return member === 0 ? 0 : this.ends[member - 1]!;
  }

  /** How many bytes there are from the first value to the end of the last one of so many members. */
  bytesOf(members: number): number {
    const last = this.from(members) - 1;
    return last < 0 ? 0 : this.start(last) + this.length(last);
  }

  /**
   * Takes the list of a span: texts alone, member by member. None is taken of a list that is otherwise. Gives the place of the first value.
   */
  take(names: KeyedNames, { spans, attributes }: SpanBatch, span: number): number {
    const from = spans[span * Span.stride + Span.attributes]!;
    const end = from + spans[span * Span.stride + Span.attributeCount]!;
    this.ends.length = 0;
    let [first, behind, rows, number] = [-1, 0, 0, -1];
    for (let row = from; row < end; row++) {
      const at = row * Attribute.stride;
      const field = attributes[at + Attribute.field]!;
      const next = names.numberOf(field);
      if (next === notBelow) continue;
      const start = attributes[at + Attribute.value]!;
      if (next < number || start < behind || attributes[at + Attribute.type] !== text) {
        this.ends.length = 0;
        return -1;
      }
      if (first < 0) first = start;
      if (next !== number && number >= 0) this.ends.push(rows);
      number = next;
      behind = start + attributes[at + Attribute.length]!;
      this.#put(rows++, field, start - first, behind - start);
    }
    if (number >= 0) this.ends.push(rows);
    return first;
  }

  /** How many members from the first on have the same names, places and lengths. */
  equalMembers(other: KeyedRows): number {
    const count = Math.min(this.count, other.count);
    const [ours, theirs] = [this.#rows, other.#rows];
    let at = 0;
    for (let member = 0; member < count; member++) {
      const end = this.ends[member]!;
      if (other.ends[member] !== end) return member;
      for (; at < end * stride; at++) if (ours[at] !== theirs[at]) return member;
    }
    return count;
  }

  /** Takes what another one has more. */
  growTo(other: KeyedRows): void {
    const rows = other.from(other.count);
    const known = this.from(this.count) * stride;
    if (rows * stride > this.#rows.length) this.#resize(rows + (rows >> 2));
    this.#rows.set(other.#rows.subarray(known, rows * stride), known);
    for (let member = this.count; member < other.count; member++) this.ends.push(other.ends[member]!);
  }

  #put(row: number, field: FieldId, start: number, length: number): void {
    if ((row + 1) * stride > this.#rows.length) this.#resize(row * 2);
    const at = row * stride;
    this.#rows[at] = field;
    this.#rows[at + 1] = start;
    this.#rows[at + 2] = length;
  }

  #resize(rows: number): void {
    const larger = new Int32Array(rows * stride);
    larger.set(this.#rows);
    this.#rows = larger;
  }
}

const text = ValueType.string;
const stride = 3;
const rowsMin = 32;
/** A member of a few keys, one of them within another. */
const memberBytes = 768;
