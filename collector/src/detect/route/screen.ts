import type { FieldId } from '../../model/fields.ts';
import { limits } from '../../model/limits.ts';
import type { SentList } from '../../model/repeated-lists.ts';
import { Attribute, ValueType } from '../../model/span-batch.ts';
import type { SpanEvents } from '../../model/span-events.ts';
import { rot13Words } from '../../text/decode-text.ts';
import type { Cursor } from '../reader.ts';
import type { View } from '../views.ts';
import { type ByteLook, createByteLook, Look } from './byte-look.ts';
import { fragmentCharsMin } from './fragments.ts';
import { createGramIndex, type Needle } from './gram-index.ts';
import { Terms } from './terms.ts';
import type { Witness } from './witness.ts';

/**
 * Tells of most spans, from the bytes of their attributes, that no text of a field holds what any rule has to find there, so that
 * texts are neither parsed nor decoded nor looked through. Witnesses are added first; after the first look nothing is added.
 */
export class Screen {
  /** Undefined when there were too many. */
  #terms: Terms | undefined = new Terms(limits.screenTermsMax);
  #look: ByteLook | undefined;
  /** By attribute, what was seen in it and in which span. */
  readonly #seen: number[] = [];
  readonly #turns: number[] = [];
  #turn = -1;
  #hasTurnedWord = false;
  /** Where what is found is noted down, while a conversation is looked at that may be sent again. */
  #into: Set<number> | undefined;
  /** Tells whose notes they are; nothing in them keeps the rules in memory that they were made for. */
  readonly #owner = {};

  add({ field, view, literal, needs }: Witness): void {
    if (this.#look !== undefined) throw new Error('screen: a witness was added after the first look');
    if (this.#terms === undefined || !isScreened(field)) return;
    const isAdded = this.#terms.add(keyOf(field, view), needs ?? (literal === undefined ? [] : [[literal]]));
    if (!isAdded) this.#terms = undefined;
  }

  /** The number of a column of texts, for `lacks`; undefined for one that always has to be looked at. */
  columnOf(field: string, view: View | undefined): number | undefined {
    return isScreened(field) ? this.#terms?.columnOf(keyOf(field, view)) : undefined;
  }

  /** Whether no text of the field holds what a rule has to find in this view of it. */
  lacks({ events, span, turn }: Cursor, field: FieldId, view: View | undefined, column: number): boolean {
    if (this.#terms === undefined || events.isAsSent === undefined || !events.isAsSent(span)) return false;
    const sources = events.textSources?.(field);
    if (sources === undefined) return false;
    if (this.#turn !== turn) this.#terms.begin();
    this.#turn = turn;
    const hindering = view === 'decoded' || view === 'both' ? Look.unreadable | Look.encoded : Look.unreadable;
    for (const source of sources) {
      if (this.#turns[source] !== turn) {
        this.#seen[source] = this.#see(events, span, source);
        this.#turns[source] = turn;
      }
      if ((this.#seen[source]! & hindering) !== 0) return false;
    }
    return !this.#terms.isMet(column);
  }

  #see(events: SpanEvents, span: number, source: FieldId): number {
    const { attributes, bytes } = events.batch;
    const row = events.batch.findSpanAttribute(span, source);
    if (row < 0) return 0;
    const at = row * Attribute.stride;
    if (attributes[at + Attribute.type] !== ValueType.string) return Look.unreadable;
    const length = attributes[at + Attribute.length]!;
    const start = attributes[at + Attribute.value]!;
    if (length <= limits.screenBytesMax) return this.#lookAt(bytes, start, start + length);
    const sent = events.sentAgain?.(span, source);
    return sent === undefined ? Look.unreadable : this.#seeAgain(sent, bytes, start);
  }

  /**
   * Of a conversation that is sent again what is new is looked at; what was found in the rest is noted with it. So it goes from member to
   * member, as nothing that is looked for has a closing brace in it, and what is encoded neither.
   */
  #seeAgain({ list, known, length }: SentList<unknown>, bytes: Buffer, start: number): number {
    if (length - known > limits.screenNewBytesMax) return Look.unreadable;
    const notes = this.#notesOf(list);
    // It stays so, whatever is added.
    if ((notes.seen & Look.unreadable) !== 0) return Look.unreadable;
    for (const literal of notes.found) this.#terms!.found(literal);
    if (notes.looked >= length) return notes.seen;
    if (bytes[start + length - 1] !== closingBrace) return Look.unreadable;
    const before = notes.found.size;
    this.#into = notes.found;
    notes.seen |= this.#lookAt(bytes, start + notes.looked, start + length);
    this.#into = undefined;
    notes.looked = length;
    if (notes.found.size > limits.screenFoundMax) {
      notes.seen = Look.unreadable;
      notes.found.clear();
    }
    list.weigh((notes.found.size - before) * foundBytes);
    return notes.seen;
  }

  /** Two detectors at one list take turns in losing their notes. */
  #notesOf(list: SentList<unknown>['list']): Notes {
    const kept = list.derived<never>('screened', () => 0, 0);
    if ((kept.note as Notes | undefined)?.owner !== this.#owner) {
      kept.note = { owner: this.#owner, looked: 0, seen: 0, found: new Set() } satisfies Notes;
      list.weigh(notesBytes);
    }
    return kept.note as Notes;
  }

  #lookAt(bytes: Buffer, from: number, to: number): number {
    this.#look ??= this.#makeLook();
    this.#hasTurnedWord = false;
    const seen = this.#look(bytes, from, to);
    return this.#hasTurnedWord ? seen | Look.encoded : seen;
  }

  #makeLook(): ByteLook {
    const terms = this.#terms!;
    const fragments = terms.close();
    const turned = rot13Words.map(
      (text): Needle => ({ text, before: '', behind: '', ...(text.length === fragmentCharsMin && { isWord: true }) }),
    );
    const index = createGramIndex([...fragments, ...turned], (needle) => {
      if (needle >= fragments.length) this.#hasTurnedWord = true;
      else {
        terms.found(needle);
        this.#into?.add(needle);
      }
    });
    return index === undefined ? () => Look.unreadable : createByteLook(index);
  }
}

/** What was seen in the first bytes of a list, which stands for every call that begins with them. */
interface Notes {
  readonly owner: object;
  looked: number;
  seen: number;
  /** Literals, by their numbers. */
  readonly found: Set<number>;
}

const notesBytes = 240;
const foundBytes = 32;
const closingBrace = 0x7d;

/** Fields of which the texts of attributes are known. */
function isScreened(field: string): boolean {
  return field.startsWith('spanwarden.text.');
}

function keyOf(field: string, view: View | undefined): string {
  return `${view ?? ''} ${field}`;
}
