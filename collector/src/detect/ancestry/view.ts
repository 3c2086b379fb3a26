import type { FieldId, FieldTable } from '../../model/fields.ts';
import { limits } from '../../model/limits.ts';
import { Span } from '../../model/span-batch.ts';
import type { SpanEvents } from '../../model/span-events.ts';
import { type Value, valueText } from '../../model/value.ts';
import { type Chain, type ChainEnd, reachedValue } from './chain.ts';
import { ancestryField } from './fields.ts';
import { type KeptValues, keptValue } from './kept.ts';

export interface AncestryViewOptions {
  readonly fields: FieldTable;
  /** `parent.…`, `root.…` and `ancestor.…` fields; others are left as they are. */
  readonly names: readonly string[];
  /** Spans count for each other when they ended within this of each other. */
  readonly waitNanos: bigint;
}

/**
 * A batch in which every span also has the fields of the spans above it, as far as they are in the batch. For whoever has
 * all spans at once; rules that run on a stream need `Ancestry`.
 */
export function withAncestry(events: SpanEvents, options: AncestryViewOptions): SpanEvents {
  const { fields, names, waitNanos } = options;
  const slots = new Map(names.map((name) => [fields.intern(name), ancestryField(name)!]));
  const bases = [...new Set([...slots.values()].map(({ base }) => base))];
  let spans: ReturnType<typeof keepAll> | undefined;
  let chain: Chain | undefined;
  let chainOf = -1;
  return {
    batch: events.batch,
    categories: (span) => events.categories(span),
    texts: (span) => events.texts(span),
    value: (span, field: FieldId): Value | undefined => {
      const slot = slots.get(field);
      if (slot === undefined) return events.value(span, field);
      spans ??= keepAll(events, bases, fields);
      if (chain === undefined || chainOf !== span) chain = climb(span, spans, waitNanos);
      chainOf = span;
      return reachedValue(chain, slot.reach, bases.indexOf(slot.base));
    },
  };
}

interface Placed {
  readonly traceId: string;
  readonly spanId: string;
  /** '' on a root. */
  readonly parentId: string;
  readonly endNanos: bigint;
  readonly values: KeptValues;
}

function keepAll(events: SpanEvents, bases: readonly string[], fields: FieldTable) {
  const baseIds = bases.map((base) => fields.intern(base));
  const textOf = (span: number, name: string): string => valueText(events.value(span, fields.intern(name)) ?? '');
  const all = Array.from({ length: events.batch.spanCount }, (_, span): Placed => {
    const end = events.batch.spans[span * Span.stride + Span.end]!;
    return {
      traceId: textOf(span, 'trace_id'),
      spanId: textOf(span, 'span_id'),
      parentId: textOf(span, 'parent_span_id'),
      endNanos: end < 0 ? 0n : events.batch.nanos(end),
      values: baseIds.map((id) => {
        const value = events.value(span, id);
        return value === undefined ? undefined : keptValue(value);
      }),
    };
  });
  const byId = new Map<string, Placed>();
  for (const span of all) {
    const key = `${span.traceId} ${span.spanId}`;
    if (!byId.has(key)) byId.set(key, span);
  }
  return { all, byId };
}

function climb(span: number, { all, byId }: ReturnType<typeof keepAll>, waitNanos: bigint): Chain {
  const self = all[span]!;
  const above: Placed[] = [];
  let top = self;
  let end: ChainEnd = 'open';
  while (end === 'open') {
    const { parentId } = top;
    const isCircle = parentId === self.spanId || above.some(({ spanId }) => spanId === parentId);
    const next = byId.get(`${self.traceId} ${parentId}`);
    const apart = next && next.endNanos - self.endNanos;
    if (parentId === '') end = 'root';
    else if (isCircle || above.length >= limits.ancestryDepthMax) end = 'cut';
    else if (!next || apart! > waitNanos || apart! < -waitNanos) end = 'cut';
    else {
      above.push(next);
      top = next;
    }
  }
  return { end, length: above.length, self: self.values, valuesAt: (place) => above[place]!.values };
}
