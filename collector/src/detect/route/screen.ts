import type { FieldId } from '../../model/fields.ts';
import { limits } from '../../model/limits.ts';
import { Attribute, ValueType } from '../../model/span-batch.ts';
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
        this.#seen[source] = this.#see(events.batch, events.batch.findSpanAttribute(span, source));
        this.#turns[source] = turn;
      }
      if ((this.#seen[source]! & hindering) !== 0) return false;
    }
    return !this.#terms.isMet(column);
  }

  #see({ attributes, bytes }: Cursor['events']['batch'], row: number): number {
    if (row < 0) return 0;
    const at = row * Attribute.stride;
    const length = attributes[at + Attribute.length]!;
    if (attributes[at + Attribute.type] !== ValueType.string || length > limits.screenBytesMax) return Look.unreadable;
    this.#look ??= this.#makeLook();
    this.#hasTurnedWord = false;
    const start = attributes[at + Attribute.value]!;
    const seen = this.#look(bytes, start, start + length);
    return this.#hasTurnedWord ? seen | Look.encoded : seen;
  }

  #makeLook(): ByteLook {
    const terms = this.#terms!;
    const fragments = terms.close();
    const turned = rot13Words.map(
      (text): Needle => ({ text, before: '', behind: '', ...(text.length === fragmentCharsMin && { isWord: true }) }),
    );
    const index = createGramIndex([...fragments, ...turned], (needle) => {
      if (needle < fragments.length) terms.found(needle);
      else this.#hasTurnedWord = true;
    });
    return index === undefined ? () => Look.unreadable : createByteLook(index);
  }
}

/** Fields of which the texts of attributes are known. */
function isScreened(field: string): boolean {
  return field.startsWith('spanwarden.text.');
}

function keyOf(field: string, view: View | undefined): string {
  return `${view ?? ''} ${field}`;
}
