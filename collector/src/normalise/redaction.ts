import type { Value } from '../model/value.ts';

/**
 * What emitters put in the place of content that they were told not to send: it is absence, not text. `<REDACTED>` of Claude Code,
 * `[REDACTED]` of Codex and many others, `__REDACTED__` of OpenInference, `[Scrubbed due to 'password']` of Logfire.
 */
export function isRedaction(text: string): boolean {
  return text.length <= redactionCharsMax && redaction.test(text);
}

/** Nothing, an empty text, or a redaction marker. */
export function isAbsent(value: Value): boolean {
  return value === null || value === '' || (typeof value === 'string' && isRedaction(value));
}

/** Longer texts are content, whatever stands in them. */
export const redactionCharsMax = 64;

const redaction =
  /^\s*["']?(?:[<[({_*]{1,4}\s?(?:redacted|content[ _]redacted|removed|filtered|masked|scrubbed due to '[^']{0,40}')\s?[>\])}_*]{1,4}|redacted)["']?\s*$/i;
