/** What the JSON of a model's answer may hold, told without parsing it. True may be wrong, false never is. */
export interface OutputHints {
  /** Tool calls, or results of tools. */
  readonly calls: boolean;
  /** Images in Markdown or HTML. */
  readonly images: boolean;
  /** Letters of other scripts than Latin, or characters that nobody sees. */
  readonly unusual: boolean;
}

/** Of an answer of which nothing can be told before it is parsed. */
export const anything: OutputHints = { calls: true, images: true, unusual: true };

/** Each type and key of a call or a result, and each role of a tool, has one of these in it. */
export const callWords = ['tool', 'call', 'func', 'mcp'] as const;

/**
 * Most answers are text alone, of which rules that look for calls, images and odd characters need no more than this.
 * @param raw the attribute's bytes, each as one character
 */
export function outputHints(raw: string): OutputHints {
  // Behind an escape anything may be written.
  return raw.includes('\\u') ? anything : new RawHints(raw);
}

/** Each is worked out when first asked for: rules seldom ask for all. */
class RawHints implements OutputHints {
  readonly #raw: string;
  #calls: boolean | undefined;
  #unusual: boolean | undefined;

  constructor(raw: string) {
    this.#raw = raw;
  }

  get calls(): boolean {
    this.#calls ??= hasCallWord(this.#raw);
    return this.#calls;
  }

  get images(): boolean {
    return this.#raw.includes('![') || this.#raw.includes('<');
  }

  get unusual(): boolean {
    this.#unusual ??= notAscii.test(this.#raw);
    return this.#unusual;
  }
}

function hasCallWord(raw: string): boolean {
  const lower = raw.toLowerCase();
  return callWords.some((word) => lower.includes(word));
}

const notAscii = /[\x80-\xff]/;
