import type { FieldTable } from '../model/fields.ts';
import type { SpanEvents } from '../model/span-events.ts';
import { Category } from '../model/span-events.ts';
import { traceWaitDefaultNanos } from './ancestry/ancestry.ts';
import { ancestryFieldsOf } from './ancestry/fields.ts';
import { withAncestry } from './ancestry/view.ts';
import { compileRule, createShared } from './compile.ts';
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
  const node = compileRule(rule, createShared(fields));
  const cursor: Cursor = { events: undefined as unknown as SpanEvents, span: 0, turn: 0 };
  const names = ancestryFieldsOf(rule);
  const seen = createSeen(names, fields);
  return (events, span) => {
    cursor.events = seen(events, span);
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

/** A batch with the fields of other spans that a rule reads. Batches are used again: one view lasts while spans go up. */
function createSeen(names: readonly string[], fields: FieldTable): (events: SpanEvents, span: number) => SpanEvents {
  let view: SpanEvents | undefined;
  let last = 0;
  return (events, span) => {
    if (names.length === 0) return events;
    if (view === undefined || view.batch !== events.batch || span <= last) {
      view = withAncestry(events, { fields, names, waitNanos: traceWaitDefaultNanos });
    }
    last = span;
    return view;
  };
}

function namesOf(bits: number): string {
  const all = Object.entries(Category);
  const names = all.filter(([, bit]) => (bits & bit) !== 0).map(([name]) => name);
  if (names.length === 0) return 'no category';
  return names.length === all.length ? 'any category' : names.join(', ');
}
