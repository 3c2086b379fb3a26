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
 * @param byteLength of the text as UTF-8: text that is as long has nothing beyond ASCII, but for what stands for invalid bytes
 */
export function outputHints(text: string, byteLength: number): OutputHints {
  // Behind an escape anything may be written.
  if (text.includes('\\u')) return anything;
  const lower = text.toLowerCase();
  return {
    calls: callWords.some((word) => lower.includes(word)),
    images: text.includes('![') || text.includes('<'),
    unusual: text.length !== byteLength,
  };
}
