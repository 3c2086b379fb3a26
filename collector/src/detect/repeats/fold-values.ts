import type { FieldTable } from '../../model/fields.ts';
import { valueText } from '../../model/value.ts';
import { boundedText } from '../correlate/event.ts';
import type { Cursor } from '../reader.ts';
import type { RuleMeta } from '../rule.ts';

/** Reads the values of a rule's `fold-by` on the span that the cursor stands on; undefined when the rule has none. */
export function createFoldValues(
  fields: FieldTable,
): (meta: RuleMeta, cursor: Cursor) => readonly string[] | undefined {
  return ({ foldBy }, { events, span }) =>
    foldBy?.map(({ name }) => boundedText(valueText(events.value(span, fields.intern(name)) ?? '')));
}
