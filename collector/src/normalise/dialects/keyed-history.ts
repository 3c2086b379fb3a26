import type { FieldTable } from '../../model/fields.ts';
import { GrownList } from '../../model/grown-list.ts';
import { growKept, type KeptRows, KeyedRows, longestKept } from '../../model/keyed-rows.ts';
import { limits } from '../../model/limits.ts';
import type { RepeatedListsBounds } from '../../model/repeated-lists.ts';
import { SessionMemory } from '../../model/session-memory.ts';
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
interface Kept extends KeptRows {
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
  readonly #sent = new KeyedRows();

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
    const first = take(sent, names, batch, span);
    const { count } = sent;
    if (count < listedMessagesMin || sent.bytesOf(count) > this.#listBytesMax) return undefined;
    const key = session();
    const [best, known] = longestKept(this.#memory.of(key), sent, batch.bytes, first);
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
    if (added.length > 0) {
      const before = weightOf(kept);
      growKept(kept, sent, batch.bytes, first);
      this.#memory.weigh(kept, weightOf(kept) - before);
    }
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
}

/** The values that were read take about as much as their bytes. */
function weightOf({ bytes, rows }: Kept): number {
  return bytes.length + rows.bytesOf(rows.count) + rows.weight + rows.count * memberBytes;
}

/**
 * Takes the list of a span: texts alone, member by member, and gives the place of the first value. None is taken of a list that is
 * otherwise.
 */
function take(into: KeyedRows, names: KeyedNames, { spans, attributes }: SpanBatch, span: number): number {
  const from = spans[span * Span.stride + Span.attributes]!;
  const end = from + spans[span * Span.stride + Span.attributeCount]!;
  into.clear();
  let [first, behind, number] = [-1, 0, -1];
  for (let row = from; row < end; row++) {
    const at = row * Attribute.stride;
    const field = attributes[at + Attribute.field]!;
    const next = names.numberOf(field);
    if (next === notBelow) continue;
    const start = attributes[at + Attribute.value]!;
    if (next < number || start < behind || attributes[at + Attribute.type] !== ValueType.string) {
      into.clear();
      return -1;
    }
    if (first < 0) first = start;
    if (next !== number && number >= 0) into.endMember();
    number = next;
    behind = start + attributes[at + Attribute.length]!;
    into.add(field, start - first, behind - start);
  }
  if (number >= 0) into.endMember();
  return first;
}

/** A member of a few keys, one of them within another. */
const memberBytes = 768;
