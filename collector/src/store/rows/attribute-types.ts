import { ValueType } from '../../model/span-batch.ts';

/**
 * What the values of a row's attribute maps were before they became text, so that reading them back gives the rules what the
 * stream gave them. One letter per attribute in the order of the stored maps: the span's, then `|` and the resource's, then
 * those of each span event and each link, each behind a `|`. Behind the first section letters at the end of a section that
 * say "text" are left out, and so are empty sections at the end; a row always has its first `|`. Spans of one kind have
 * the same letters, so the column costs next to nothing.
 *
 * Where the columns Timestamp and Duration could not hold the span's times as they were sent (one is missing, the end lies
 * before the start, the start was moved), `@start,end` in nanoseconds follows; a missing time is empty. A `~` behind the
 * letters says that something of the span was redacted before it was stored.
 */
export const typeLetters: Readonly<Record<keyof typeof ValueType | 'added' | Referred, string>> = {
  string: 's',
  /** Stored as base64, which is also what rules see. */
  bytes: 's',
  bool: 'b',
  int: 'i',
  double: 'd',
  array: 'a',
  map: 'm',
  empty: 'e',
  /** An attribute that the span did not have: we added it. */
  added: 'o',
  /** A list of messages that are stored once; hashes of them stand in its place. */
  messages: 'r',
  /** The same of a JSON object with the list in it: what stands before and behind its messages are the first hash and the last. */
  messagesWithin: 'w',
  /** A list in an attribute that we added. */
  addedMessages: 'p',
  /** The same in place of attributes `<name>.<number>.<key>`, of each message its own; hashes of all stand under the name alone. */
  keyedMessages: 'k',
};

/** How a list of messages stood in a span that has hashes in its place. */
export type Referred = 'messages' | 'messagesWithin' | 'addedMessages' | 'keyedMessages';

/**
 * What the span had under a name that holds something else now: it stands under this prefix and its name, and its letter is a capital.
 * Senders may use such names; only the letter tells.
 */
export const originalPrefix = 'spanwarden.original.';

export const redactedMark = '~';

/** The letters' codes by `ValueType`. */
const codes = Uint8Array.from(
  Object.entries(ValueType)
    .sort(([, a], [, b]) => a - b)
    .map(([name]) => typeLetters[name as keyof typeof ValueType].charCodeAt(0)),
);
/** The letter of a value that is no text, by `ValueType`. */
export function letterOf(type: number): string {
  return String.fromCharCode(codes[type] ?? textCode);
}

const textCode = typeLetters.string.charCodeAt(0);
const addedCode = typeLetters.added.charCodeAt(0);
const barCode = '|'.charCodeAt(0);
/** From the code of a letter to that of its capital. */
const capitals = 32;

/** Collects the letters of one row. */
export class TypeNotes {
  bytes: Buffer = Buffer.allocUnsafe(256);
  length = 0;
  #section = 0;
  #first = 0;

  reset(): void {
    this.length = 0;
    this.#section = 0;
    this.#first = 0;
  }

  note(type: number): void {
    this.#push(codes[type] ?? textCode);
  }

  /** An attribute that stands under `originalPrefix`. */
  noteOriginal(type: number): void {
    this.#push((codes[type] ?? textCode) - capitals);
  }

  noteAdded(): void {
    this.#push(addedCode);
  }

  noteReferred(how: Referred): void {
    this.#push(typeLetters[how].charCodeAt(0));
  }

  /** Ends the span's section. */
  endFirst(): void {
    this.#push(barCode);
    this.#section = this.length;
    this.#first = this.length;
  }

  /** Ends the section of a resource, span event or link. */
  end(): void {
    this.trim();
    this.#push(barCode);
    this.#section = this.length;
  }

  /** Leaves out the letters for text at the end of the section. */
  trim(): void {
    while (this.length > this.#section && this.bytes[this.length - 1] === textCode) this.length--;
  }

  append(bytes: Uint8Array): void {
    for (const byte of bytes) this.#push(byte);
  }

  /** Leaves out empty sections at the end; `times` goes behind the rest. */
  finish(times: string): void {
    while (this.length > this.#first && this.bytes[this.length - 1] === barCode) this.length--;
    if (times !== '') this.append(Buffer.from(times));
  }

  #push(code: number): void {
    if (this.length === this.bytes.length) this.bytes = Buffer.concat([this.bytes, Buffer.alloc(this.length)]);
    this.bytes[this.length++] = code;
  }
}
