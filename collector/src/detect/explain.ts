import type { FieldTable } from '../model/fields.ts';
import type { SpanEvents } from '../model/span-events.ts';
import { Category } from '../model/span-events.ts';
import { createCompiler } from './compile.ts';
import { type BranchExplanation, branch } from './explanation.ts';
import type { Rule } from './load.ts';
import type { Cursor } from './reader.ts';

/**
 * Says why a rule matches a span or not, leaf by leaf. It runs the closures the detector runs, only without stopping at
 * the first part that decides, so its verdict is the detector's.
 */
export function createExplainer(
  rule: Rule,
  fields: FieldTable,
): (events: SpanEvents, span: number) => BranchExplanation {
  const node = createCompiler(fields)(rule);
  const cursor: Cursor = { events: undefined as unknown as SpanEvents, span: 0, turn: 0 };
  return (events, span) => {
    cursor.events = events;
    cursor.span = span;
    cursor.turn++;
    const categories = events.categories(span);
    const reads = (rule.categories & categories) !== 0;
    const words = `reads ${namesOf(rule.categories)}; the span is ${namesOf(categories)}`;
    const parts = [branch('logsource', words, reads, []), node.explain(cursor)];
    return branch(
      'rule',
      rule.meta.title,
      parts.every(({ matched }) => matched),
      parts,
    );
  };
}

function namesOf(bits: number): string {
  const all = Object.entries(Category);
  const names = all.filter(([, bit]) => (bits & bit) !== 0).map(([name]) => name);
  if (names.length === 0) return 'no category';
  return names.length === all.length ? 'any category' : names.join(', ');
}
