import type { FieldTable } from '../../model/fields.ts';
import { grownBytes } from '../../model/grown-bytes.ts';
import { growKept, type KeptRows, KeyedRows, longestKept } from '../../model/keyed-rows.ts';
import { limits } from '../../model/limits.ts';
import { SessionMemory } from '../../model/session-memory.ts';
import { Attribute, type AttributeSource, ValueType } from '../../model/span-batch.ts';
import type { KeyedList } from './keyed-lists.ts';

/** What was written of a list, member by member. */
interface Kept extends KeptRows {
  /** Without the brackets at its end. */
  json: Buffer;
  /** Where each member ends in it, without its bracket. */
  readonly ends: number[];
}

/** What is known of a list: the JSON of its first members. */
export interface KnownJson {
  readonly json: Buffer;
  readonly end: number;
  readonly members: number;
  /** So many attributes belong to them. */
  readonly rows: number;
}

/**
 * The JSON of keyed lists that calls send again, by conversation: what was written of members that came before, byte for byte, is what would
 * be written again. What redaction takes out of a value follows from the value, so it is the same, too.
 */
export class KeyedJsonHistory {
  readonly #fields: FieldTable;
  readonly #memory = new SessionMemory<Kept>();
  readonly #sent = new KeyedRows();
  #generation = -1;
  /** Of the list that was looked for last; undefined where it is not to be kept. */
  #looked: { readonly session: string; readonly best: Kept | undefined; readonly known: number } | undefined;
  #bytes!: Buffer;
  #first = 0;

  constructor(fields: FieldTable) {
    this.#fields = fields;
  }

  /** About what is kept, in bytes. */
  get weight(): number {
    return this.#memory.weight;
  }

  /** What is known of the list in the run that begins at row `first`. */
  find(session: string, list: KeyedList, batch: AttributeSource, first: number): KnownJson | undefined {
    if (this.#generation !== this.#fields.generation) this.#memory.clear();
    this.#generation = this.#fields.generation;
    this.#looked = undefined;
    if (!this.#take(list, batch, first)) return undefined;
    const [best, known] = longestKept(this.#memory.of(session), this.#sent, batch.bytes, this.#first);
    this.#looked = { session, best, known };
    this.#bytes = batch.bytes;
    return best && { json: best.json, end: best.ends[known - 1]!, members: known, rows: this.#sent.ends[known - 1]! };
  }

  /**
   * Notes what was written of the list that was looked for last.
   * @param ends where the members behind those that were known end, without their brackets
   */
  note(json: Buffer, ends: readonly number[]): void {
    if (this.#looked === undefined) return;
    const { session, best, known } = this.#looked;
    const sent = this.#sent;
    const goesOn = best !== undefined && (known === best.rows.count || known === sent.count);
    const kept = goesOn ? best : empty();
    if (kept.rows.count < sent.count) {
      const before = weightOf(kept);
      const written = kept.ends.at(-1) ?? 0;
      const end = ends.at(-1)!;
      kept.json = grownBytes(kept.json, written, end);
      json.copy(kept.json, written, written, end);
      if (!goesOn) for (let member = 0; member < known; member++) kept.ends.push(best!.ends[member]!);
      for (const each of ends) kept.ends.push(each);
      growKept(kept, sent, this.#bytes, this.#first);
      this.#memory.weigh(kept, weightOf(kept) - before);
    }
    this.#memory.keep(session, kept);
  }

  /** False for a list in which not all is text. */
  #take(list: KeyedList, { attributes }: AttributeSource, run: number): boolean {
    const sent = this.#sent;
    sent.clear();
    let first = Number.POSITIVE_INFINITY;
    for (const place of list.places) {
      const at = (run + place) * Attribute.stride;
      if (attributes[at + Attribute.type] !== ValueType.string) return false;
      first = Math.min(first, attributes[at + Attribute.value]!);
    }
    for (const [i, place] of list.places.entries()) {
      const at = (run + place) * Attribute.stride;
      if (i > 0 && list.numbers[i] !== list.numbers[i - 1]) sent.endMember();
      const start = attributes[at + Attribute.value]! - first;
      sent.add(attributes[at + Attribute.field]!, start, attributes[at + Attribute.length]!);
    }
    sent.endMember();
    this.#first = first;
    return sent.count >= membersMin && sent.bytesOf(sent.count) <= limits.repeatedListBytesMax;
  }
}

function empty(): Kept {
  const none = Buffer.alloc(0);
  return { bytes: none, rows: new KeyedRows(), json: none, ends: [], weight: 0, isForgotten: false };
}

function weightOf({ bytes, rows, json, ends }: Kept): number {
  return bytes.length + rows.weight + json.length + ends.length * 8;
}

/** Of fewer what is kept takes more than it saves. */
const membersMin = 8;
