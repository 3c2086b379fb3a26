import type { FieldId } from './fields.ts';
import type { SpanEvents } from './span-events.ts';

/** Most spans have few of the contents that fields come from, and few sets of contents occur; senders can make others. */
const keptMax = 256;

/**
 * Those whose field can have a value in a span, worked out once for all spans with the same contents. All where the events cannot tell.
 * @param fieldOf undefined for those that every span may have
 */
export function byContents<T>(
  all: readonly T[],
  fieldOf: (each: T) => FieldId | undefined,
): (events: SpanEvents, span: number) => readonly T[] {
  const known = new Map<number, readonly T[]>();
  return (events, span) => {
    if (events.contents === undefined || events.contentsOf === undefined) return all;
    const contents = events.contents(span);
    let found = known.get(contents);
    if (found === undefined) {
      found = all.filter((each) => {
        const field = fieldOf(each);
        return field === undefined || (events.contentsOf!(field) & contents) !== 0;
      });
      if (known.size >= keptMax) known.clear();
      known.set(contents, found);
    }
    return found;
  };
}
