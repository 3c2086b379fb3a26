import { createHmac } from 'node:crypto';
import { HintScanner } from './hint-scanner.ts';
import { mayHoldPii } from './pii-hints.ts';
import { type SensitivePlace, secretHints, sensitivePlaces } from './places.ts';
import { unescaped } from './unescaped.ts';

/**
 * Texts with placeholders in place of secrets, and of personal data if `pii`: `[secret:github_token:3f9a0c…]`. The hash is the
 * first 64 bits of HMAC-SHA-256 under the key: equal values have equal placeholders, and without the key nobody can try values.
 */
export class TextRedactor {
  /** Places replaced since the start. */
  replaced = 0;
  readonly #key: Uint8Array;
  readonly #pii: boolean;
  readonly #hints = new HintScanner(secretHints);
  /** Hashes of values seen lately: a secret of a conversation comes back with each of its calls. */
  readonly #known = new Map<string, string>();

  constructor(key: Uint8Array, pii: boolean) {
    this.#key = key;
    this.#pii = pii;
  }

  /** The text, the very same when nothing in it is to be replaced. JSON stays JSON, also where it stands within a text. */
  redacted(text: string): string {
    if (text.length < charsMin || !(this.#mayHoldSecret(text) || (this.#pii && mayHoldPii(text)))) return text;
    return this.replacedIn(text);
  }

  /** The same for a text that was found to need a closer look. */
  replacedIn(text: string): string {
    const { text: plain, starts } = unescaped(text);
    const places = sensitivePlaces(plain, this.#pii);
    if (places.length === 0) return text;
    this.replaced += places.length;
    let result = '';
    let at = 0;
    for (const place of places) {
      const start = starts?.[place.start] ?? place.start;
      result += text.slice(at, start) + this.#placeholder(place, plain);
      at = starts?.[place.end] ?? place.end;
    }
    result += text.slice(at);
    return breaksJson(text, result) ? this.#byLeaf(text) : result;
  }

  /** What stands in place of content as a whole. */
  marker(text: string): string {
    return `[content:${Buffer.byteLength(text)}:${this.#hash(text)}]`;
  }

  #mayHoldSecret(text: string): boolean {
    const bytes = Buffer.from(text);
    this.#hints.scan(bytes);
    return this.#hints.has(0, bytes.length);
  }

  #placeholder(place: SensitivePlace, plain: string): string {
    const same = place.same ?? plain.slice(place.start, place.end);
    return `[${place.class}:${place.kind}:${this.#hash(same)}]`;
  }

  #hash(value: string): string {
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    const hash = createHmac('sha256', this.#key).update(value).digest('hex').slice(0, hashDigits);
    if (value.length > knownCharsMax) return hash;
    if (this.#known.size >= knownMax) this.#known.clear();
    // A part of a text keeps all of it in memory.
    this.#known.set(Buffer.from(value).toString(), hash);
    return hash;
  }

  /** For the odd JSON of which a place would have taken a bracket: each text in it by itself, numbers as they are written. */
  #byLeaf(text: string): string {
    const plain = JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }) =>
      typeof value === 'number' && context?.source !== undefined ? rawJson(context.source) : value,
    );
    return JSON.stringify(plain, (key, value: unknown) => {
      if (typeof value !== 'string') return value;
      const redacted = this.redacted(value);
      const assigned = `${key}: ${value}`;
      return redacted === value && this.redacted(assigned) !== assigned
        ? this.#placeholder({ class: 'secret', kind: 'assignment', start: 0, end: value.length }, value)
        : redacted;
    });
  }
}

/** Shorter than every secret and every kind of personal data. */
const charsMin = 6;
const hashDigits = 16;
const knownMax = 1024;
const knownCharsMax = 512;
const rawJson = (JSON as unknown as { rawJSON(source: string): unknown }).rawJSON;

function breaksJson(before: string, after: string): boolean {
  return /^\s*[[{"]/.test(before) && isJson(before) && !isJson(after);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
