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

/** Two letters in a row of the middles of these words decide; of two such places that follow each other one is looked at. */
function hasCallWord(raw: string): boolean {
  for (let at = 1; at < raw.length; at += 2) {
    const [before, here, after] = [raw.charCodeAt(at - 1), raw.charCodeAt(at), raw.charCodeAt(at + 1)];
    if ((middles[pairOf(before, here)]! | middles[pairOf(here, after)]!) === 0) continue;
    if (anyCallWord.test(raw.slice(Math.max(0, at - 4), at + 4))) return true;
  }
  return false;
}

/** Letters of either case have a number below 32; other characters share those. */
function pairOf(first: number, second: number): number {
  return ((first & 31) << 5) | (second & 31);
}

const middles = new Uint8Array(1024);
for (const word of callWords) middles[pairOf(word.charCodeAt(1), word.charCodeAt(2))] = 1;
const anyCallWord = new RegExp(callWords.join('|'), 'i');
const notAscii = /[\x80-\xff]/;
