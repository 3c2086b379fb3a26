import { excerpt } from '../evidence.ts';

/** Names and ids as they are. Anything else may be content, which findings show as evidence: without secrets. */
export function shownText(text: string): string {
  return /^[\w.:/@-]*$/.test(text) ? text : excerpt(text, { start: 0, end: text.length });
}

/** A few values for people: the first three, cut and masked as evidence is. */
export function shownValues(values: readonly string[]): string {
  const shown = values.slice(0, 3).map((value) => excerpt(value, { start: 0, end: Math.min(value.length, 60) }));
  const short = shown.map((value) => (value.length > 72 ? `${value.slice(0, 71)}…` : value));
  return short.join(', ') + (values.length > 3 ? ` and ${values.length - 3} more` : '');
}
