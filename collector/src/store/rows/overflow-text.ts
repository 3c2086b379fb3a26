import { limits } from '../../model/limits.ts';

/** What attributes are stored under whose service has too many keys: one JSON object of their names and values. */
export const overflowKey = 'spanwarden.overflow';

/** Behind all others: how many attributes did not fit any more. */
const restName = '';

/** The value of `overflowKey`, within `limits.overflowCharsMax`. */
export class OverflowText {
  readonly #members: string[] = [];
  #chars = 0;
  #left = 0;

  get isFull(): boolean {
    return this.#chars >= limits.overflowCharsMax;
  }

  add(name: string, value: string): void {
    const member = `${quoted(name)}:${quoted(value)}`;
    this.#chars += member.length + 1;
    if (this.isFull) this.#left++;
    else this.#members.push(member);
  }

  /** Leaves an attribute out; it is only counted. */
  skip(): void {
    this.#left++;
  }

  end(): string {
    if (this.#left > 0) this.#members.push(`${quoted(restName)}:"and ${this.#left} more"`);
    return `{${this.#members.join(',')}}`;
  }
}

/** JSON of a text that is cut where it is long. */
function quoted(text: string): string {
  const max = limits.overflowValueCharsMax;
  return JSON.stringify((text.length > max ? `${text.slice(0, max)}…` : text).toWellFormed());
}
