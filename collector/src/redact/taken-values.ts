/**
 * Secrets that were taken out of late, so that they are taken out as well where what told them is missing: in facts that quote a part
 * of an argument, change its case or put variables in, and in findings about them.
 */
export class TakenValues {
  /** By value in lower case, the newest last. */
  readonly #recent = new Map<string, string>();
  #hasOfSpan = false;

  note(value: string, placeholder: string): void {
    if (value.length < charsMin || value.length > charsMax) return;
    const key = Buffer.from(value.toLowerCase()).toString();
    if (!this.#recent.delete(key) && this.#recent.size >= valuesMax)
      this.#recent.delete(this.#recent.keys().next().value!);
    this.#recent.set(key, placeholder);
    this.#hasOfSpan = true;
  }

  /** From here on values are those of another span. */
  turn(): void {
    this.#hasOfSpan = false;
  }

  /** Whether something was taken out of the current span. */
  get hasOfSpan(): boolean {
    return this.#hasOfSpan;
  }

  /** A text without those values; one that is a part of a value is gone as a whole. */
  without(text: string): string {
    if (text.length < charsMin || this.#recent.size === 0) return text;
    let result = text;
    let lower = text.toLowerCase();
    // Where lower case has another length, places are not the same.
    if (lower.length !== text.length) return text;
    for (const [value, placeholder] of this.#recent) {
      if (lower.length >= partCharsMin && lower.length < value.length && value.includes(lower)) return placeholder;
      for (let at = lower.indexOf(value); at >= 0; at = lower.indexOf(value, at + placeholder.length)) {
        result = result.slice(0, at) + placeholder + result.slice(at + value.length);
        lower = lower.slice(0, at) + placeholder + lower.slice(at + value.length);
      }
    }
    return result;
  }
}

const valuesMax = 256;
/** Shorter ones stand in words and ids by chance. */
const charsMin = 8;
const charsMax = 16_384;
const partCharsMin = 12;
