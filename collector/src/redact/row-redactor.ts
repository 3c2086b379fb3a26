import type { FieldId, FieldTable } from '../model/fields.ts';
import type { RedactedBatch, RedactionProfile, Redactor } from '../model/redaction.ts';
import { holdsContent, metadataCharsMax } from './content-names.ts';
import { HintScanner } from './hint-scanner.ts';
import { mayHoldPiiIn } from './pii-hints.ts';
import { secretHints } from './places.ts';
import { TakenValues } from './taken-values.ts';
import { mayNameSecret, TextRedactor } from './text-redactor.ts';

export interface RedactorOptions {
  readonly profile: RedactionProfile;
  /** Of the hashes in placeholders. */
  readonly key: Uint8Array;
  readonly fields: FieldTable;
  /** What was taken out of late, where several tables share it. */
  readonly taken?: TakenValues;
}

/** What takes secrets out of the rows of one table; undefined for the profile `off`. */
export function createRedactor({
  profile,
  key,
  fields,
  taken = new TakenValues(),
}: RedactorOptions): Redactor | undefined {
  if (profile === 'off') return undefined;
  return new RowRedactor(new TextRedactor(key, profile !== 'secrets', taken), profile, fields, taken);
}

class RowRedactor implements Redactor {
  readonly #texts: TextRedactor;
  readonly #fields: FieldTable;
  readonly #metadataOnly: boolean;
  readonly #hints = new HintScanner(secretHints);
  readonly #pii: boolean;
  #batch!: RedactedBatch;
  #generation = -1;
  #dropped = 0;
  /** By field: what is stored as its name, null when that is the name itself; and whether it holds content. */
  readonly #names = new Map<FieldId, Uint8Array | null>();
  readonly #contents = new Map<FieldId, boolean>();
  readonly #secretNames = new Map<FieldId, boolean>();
  readonly #taken: TakenValues;

  constructor(texts: TextRedactor, profile: RedactionProfile, fields: FieldTable, taken: TakenValues) {
    this.#texts = texts;
    this.#taken = taken;
    this.#fields = fields;
    this.#metadataOnly = profile === 'metadata_only';
    this.#pii = profile !== 'secrets';
  }

  get replaced(): number {
    return this.#texts.replaced + this.#dropped;
  }

  begin(batch: RedactedBatch): void {
    this.#batch = batch;
    if (this.#generation !== this.#fields.generation) {
      this.#names.clear();
      this.#contents.clear();
      this.#secretNames.clear();
    }
    this.#generation = this.#fields.generation;
    this.#hints.scan(batch.bytes);
  }

  value(field: FieldId, start: number, length: number): string | undefined {
    if (!this.#metadataOnly || !this.#isContent(field, length)) {
      const changed = this.#changed(start, length);
      return changed === undefined && length > 0 && this.#mayNameSecret(field)
        ? this.#texts.replacedUnder(this.#fields.name(field), this.#batch.text(start, length))
        : changed;
    }
    return length === 0 ? undefined : this.#marker(this.#batch.text(start, length));
  }

  plain(start: number, length: number): string | undefined {
    if (this.#metadataOnly && length > metadataCharsMax) return this.#marker(this.#batch.text(start, length));
    return this.#changed(start, length);
  }

  text(text: string, name = ''): string {
    if (this.#metadataOnly && text !== '' && (text.length > metadataCharsMax || (name !== '' && holdsContent(name))))
      return this.#marker(text);
    return name === '' ? this.#texts.redacted(text) : this.#texts.under(name, text);
  }

  derived(text: string, name = ''): string {
    return this.#taken.without(this.text(text, name));
  }

  turn(): void {
    this.#taken.turn();
  }

  get hasTaken(): boolean {
    return this.#taken.hasOfSpan;
  }

  name(field: FieldId): Uint8Array | undefined {
    let known = this.#names.get(field);
    if (known === undefined) {
      const name = this.#fields.name(field);
      const redacted = this.#texts.redacted(name);
      known = redacted === name ? null : encoded(redacted);
      this.#names.set(field, known);
    }
    return known ?? undefined;
  }

  #mayNameSecret(field: FieldId): boolean {
    if (field < 0) return false;
    let known = this.#secretNames.get(field);
    if (known === undefined) {
      known = mayNameSecret(this.#fields.name(field));
      this.#secretNames.set(field, known);
    }
    return known;
  }

  #isContent(field: FieldId, length: number): boolean {
    // The body of a log record has no name.
    if (length > metadataCharsMax || field < 0) return true;
    let known = this.#contents.get(field);
    if (known === undefined) {
      known = holdsContent(this.#fields.name(field));
      this.#contents.set(field, known);
    }
    return known;
  }

  #changed(start: number, length: number): string | undefined {
    if (length === 0) return undefined;
    const end = start + length;
    if (!this.#hints.has(start, end) && !(this.#pii && mayHoldPiiIn(this.#batch.bytes, start, end))) return undefined;
    const text = this.#batch.text(start, length);
    const redacted = this.#texts.replacedIn(text, this.#hints.hasEncoded(start, end));
    return redacted === text ? undefined : redacted;
  }

  #marker(text: string): string {
    this.#dropped++;
    return this.#texts.marker(text);
  }
}

/** As RowBinary has it: a varint of the length in front. */
function encoded(name: string): Uint8Array {
  const bytes = Buffer.from(name);
  const length: number[] = [];
  for (let rest = bytes.length; ; rest >>>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) return Buffer.concat([Uint8Array.from(length), bytes]);
  }
}
