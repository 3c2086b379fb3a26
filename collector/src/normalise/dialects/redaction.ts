import type { Value } from '../../model/value.ts';

/** What emitters put in the place of content that they were told not to send: it is absence, not text. */
export function isAbsent(value: Value): boolean {
  if (value === null) return true;
  if (typeof value === 'string') return value.length <= markCharsMax && isMark(value.trim());
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** `<REDACTED>` of Claude Code, `[REDACTED]` of Codex, `__REDACTED__` of OpenInference, `{}` and `N/A` of ADK. */
function isMark(text: string): boolean {
  return text === '' || text === '{}' || text === '[]' || text === 'N/A' || redacted.test(text);
}

const redacted =
  /^["']?(?:[<[({_*]{1,4}\s?(?:redacted|content redacted|removed|filtered|masked)\s?[>\])}_*]{1,4}|redacted)["']?$/i;

/** Longer texts are content, whatever stands in them. */
export const markCharsMax = 32;
