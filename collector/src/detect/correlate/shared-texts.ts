/** Longer texts are few, and a full table of them would be large. */
const charsMax = 128;
const textsMax = 4096;

/**
 * One text for all that are equal and short. Decoding makes a text of its own for each span; names of services, agents and
 * tools stand in the windows of many groups at once. Forgets all when it is full.
 */
export class SharedTexts {
  readonly #texts = new Map<string, string>();

  get size(): number {
    return this.#texts.size;
  }

  of(text: string): string {
    if (text.length > charsMax) return text;
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    if (this.#texts.size >= textsMax) this.#texts.clear();
    this.#texts.set(text, text);
    return text;
  }
}
