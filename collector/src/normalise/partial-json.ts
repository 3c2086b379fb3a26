import type { Value } from '../model/value.ts';

/** Deeper text is no JSON of ours. */
const depthMax = 64;

/**
 * What stands before the cut in JSON that an emitter cut off: open texts, lists and maps are closed where the text ends. A text cut
 * within a key or a word loses that member.
 * @returns undefined for text that is wrong before its end, and for text that was not cut.
 */
export function partialJson(text: string): Value | undefined {
  const reader = new PartialReader(text);
  const value = reader.value(0);
  return reader.cut && !reader.wrong ? value : undefined;
}

class PartialReader {
  /** The text ended before the value did. */
  cut = false;
  /** The text is no JSON. */
  wrong = false;
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): Value | undefined {
    this.#space();
    const char = this.#text[this.#at];
    if (char === undefined) return this.#end();
    if (depth > depthMax) return this.#fail();
    if (char === '{') return this.#map(depth);
    if (char === '[') return this.#list(depth);
    return char === '"' ? this.#string() : this.#word();
  }

  #list(depth: number): Value {
    const list: Value[] = [];
    this.#at++;
    for (;;) {
      this.#space();
      if (this.#text[this.#at] === ']') {
        this.#at++;
        return list;
      }
      const value = this.value(depth + 1);
      if (value !== undefined) list.push(value);
      if (this.#stopped || !this.#comma(']')) return list;
    }
  }

  #map(depth: number): Value {
    const map: Record<string, Value> = Object.create(null);
    this.#at++;
    for (;;) {
      this.#space();
      if (this.#text[this.#at] === '}') {
        this.#at++;
        return map;
      }
      const key = this.#text[this.#at] === '"' ? this.#string() : this.#endOrFail();
      this.#space();
      if (!this.#stopped && this.#text[this.#at++] !== ':') {
        this.#at--;
        this.#endOrFail();
      }
      if (this.#stopped) return map;
      const value = this.value(depth + 1);
      if (value !== undefined) map[key!] = value;
      if (this.#stopped || !this.#comma('}')) return map;
    }
  }

  /** Steps over a comma; stays before the closing bracket. */
  #comma(close: string): boolean {
    this.#space();
    const char = this.#text[this.#at];
    if (char === ',') this.#at++;
    else if (char !== close) this.#endOrFail();
    return !this.#stopped;
  }

  #string(): string | undefined {
    const start = this.#at;
    let at = start + 1;
    for (; at < this.#text.length; at++) {
      const code = this.#text.charCodeAt(at);
      if (code === 0x5c) at++;
      else if (code === 0x22) break;
    }
    const ended = at < this.#text.length;
    this.#at = Math.min(at + 1, this.#text.length);
    if (!ended) this.cut = true;
    // An escape that was cut in half goes.
    const raw = this.#text.slice(start, this.#at);
    const whole = ended
      ? raw
      : `${raw.replace(/\\(?:u[0-9a-fA-F]{0,3})?$/, (tail, offset: number) => (odd(raw, offset) ? '' : tail))}"`;
    try {
      return JSON.parse(whole) as string;
    } catch {
      return this.#fail();
    }
  }

  #word(): Value | undefined {
    wordPattern.lastIndex = this.#at;
    const word = wordPattern.exec(this.#text)?.[0] ?? '';
    this.#at += word.length;
    if (this.#at === this.#text.length) return this.#end();
    try {
      return JSON.parse(word) as Value;
    } catch {
      return this.#fail();
    }
  }

  #space(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at++;
  }

  get #stopped(): boolean {
    return this.cut || this.wrong;
  }

  #end(): undefined {
    this.cut = true;
  }

  #fail(): undefined {
    this.wrong = true;
  }

  #endOrFail(): undefined {
    if (this.#at >= this.#text.length) this.#end();
    else this.#fail();
  }
}

const wordPattern = /[-+.\w]*/y;

/** Whether the backslash at `offset` begins an escape: an even number of them stands before it. */
function odd(text: string, offset: number): boolean {
  let before = 0;
  while (text[offset - 1 - before] === '\\') before++;
  return before % 2 === 0;
}
