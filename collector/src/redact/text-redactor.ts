import { createHmac } from 'node:crypto';
import { HintScanner } from './hint-scanner.ts';
import { mayHoldPii } from './pii-hints.ts';
import { type SensitivePlace, secretHints, sensitivePlaces } from './places.ts';
import type { TakenValues } from './taken-values.ts';
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
  readonly #taken: TakenValues | undefined;
  readonly #hints = new HintScanner(secretHints);
  /** Hashes of values seen lately: a secret of a conversation comes back with each of its calls. */
  readonly #known = new Map<string, string>();

  /** @param taken is told of every secret. */
  constructor(key: Uint8Array, pii: boolean, taken?: TakenValues) {
    this.#key = key;
    this.#pii = pii;
    this.#taken = taken;
  }

  /** The text, the very same when nothing in it is to be replaced. JSON stays JSON, also where it stands within a text. */
  redacted(text: string): string {
    if (text.length < charsMin || !(this.#mayHoldSecret(text) || (this.#pii && mayHoldPii(text)))) return text;
    return this.replacedIn(text, this.#hints.hasEncoded(0, Number.POSITIVE_INFINITY));
  }

  /**
   * The same for a text that was found to need a closer look.
   * @param mayBeEncoded whether that is because of base64 or hex
   */
  replacedIn(text: string, mayBeEncoded = true): string {
    const { text: plain, starts } = unescaped(text);
    const places = sensitivePlaces(plain, this.#pii, mayBeEncoded || brokenRun.test(text));
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

  /** The value of an attribute or of a member of JSON, of which its name may say that it is a secret. */
  under(name: string, value: string): string {
    const redacted = this.redacted(value);
    return redacted === value && this.isNamedSecret(name, value) ? this.#assigned(value) : redacted;
  }

  /** The same for a text in which by itself nothing is to be replaced; undefined when its name says nothing either. */
  replacedUnder(name: string, value: string): string | undefined {
    return this.isNamedSecret(name, value) ? this.#assigned(value) : undefined;
  }

  /** Whether nothing but the name of a text says that it is a secret. */
  isNamedSecret(name: string, value: string): boolean {
    if (!mayNameSecret(name)) return false;
    // As JSON would have it. Of a list its first text is looked at.
    const told = `"${name.slice(-nameCharsMax)}": "${value.slice(0, namedCharsMax).replace(/^\["/, '')}"`;
    return sensitivePlaces(told, false).length > 0;
  }

  #assigned(value: string): string {
    this.replaced++;
    return this.#placeholder({ class: 'secret', kind: 'assignment', start: 0, end: value.length }, value);
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
    const placeholder = `[${place.class}:${place.kind}:${this.#hash(same)}]`;
    if (place.class === 'secret') this.#taken?.note(same, placeholder);
    return placeholder;
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
      return typeof value === 'string' ? this.under(key, value) : value;
    });
  }
}

/** Shorter than every secret and every kind of personal data. */
const charsMin = 6;
/** What may stand in the middle of base64, and is read as a part of it. */
const brokenRun = /%[2-7]|&#|\\u00|\\\//i;
const nameCharsMax = 64;
const namedCharsMax = 4500;
const hashDigits = 16;
const knownMax = 1024;
const knownCharsMax = 512;
const rawJson = (JSON as unknown as { rawJSON(source: string): unknown }).rawJSON;

/** Cheap, for names of attributes are asked for each value. */
export function mayNameSecret(name: string): boolean {
  return secretName.test(name);
}

const secretName = /pass|pwd|secret|token|key|credential|authorization|cookie/i;

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
