import type { FieldTable } from '../../model/fields.ts';
import { Span } from '../../model/span-batch.ts';
import type { SpanEvents } from '../../model/span-events.ts';
import { valueText } from '../../model/value.ts';
import { boundedText } from './event.ts';

/**
 * Reads who sent the spans of a batch and how far each has come: for each source the end of its newest span, 0 when none
 * has an end. A source is an instance of a service: one clock and one exporter.
 */
export function createNewestBySource(fields: FieldTable): (events: SpanEvents) => ReadonlyMap<string, bigint> {
  const [name, instance] = [fields.intern('service.name'), fields.intern('service.instance.id')];
  const sourceOf = (events: SpanEvents, span: number): string =>
    JSON.stringify([name, instance].map((field) => boundedText(valueText(events.value(span, field) ?? ''))));
  return (events) => {
    const { spans, spanCount } = events.batch;
    const newest = new Map<string, bigint>();
    let source = '';
    let resource = -1;
    for (let span = 0; span < spanCount; span++) {
      const row = span * Span.stride;
      // Spans of one resource stand together.
      if (span === 0 || resource < 0 || spans[row + Span.resource] !== resource) source = sourceOf(events, span);
      resource = spans[row + Span.resource]!;
      const at = spans[row + Span.end]!;
      const end = at < 0 ? 0n : events.batch.nanos(at);
      const known = newest.get(source);
      if (known === undefined || end > known) newest.set(source, end);
    }
    return newest;
  };
}
