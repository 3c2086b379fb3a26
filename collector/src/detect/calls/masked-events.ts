import { Category, type SpanEvents } from '../../model/span-events.ts';
import type { ViewReader } from './read-views.ts';

/**
 * The batch for rules of tool calls: spans of MCP clients and servers that may have a tool span above them, and tool spans of which another
 * instrumentation may tell as well, are no tool calls of their own before it is known that nothing stands for them. The batch itself where
 * it has no such spans.
 */
export function maskedEvents(events: SpanEvents, reader: ViewReader): SpanEvents {
  const both = Category.tool | Category.mcp;
  reader.note(events);
  let masks: Map<number, number> | undefined;
  for (let span = 0; span < events.batch.spanCount; span++) {
    const categories = events.categories(span) & both;
    if (categories !== both && (categories !== Category.tool || reader.inner.known.size === 0)) continue;
    const view = reader.spanView(events, span);
    if (view === undefined || view.counts) continue;
    masks ??= new Map();
    masks.set(span, view.kind === 'server' ? ~both : ~Category.tool);
  }
  if (masks === undefined) return events;
  const found = masks;
  return {
    batch: events.batch,
    value: (span, field) => events.value(span, field),
    partOf: (part, span, field) => (events.partOf ?? valueOnly).call(events, part, span, field),
    categories: (span) => events.categories(span) & (found.get(span) ?? -1),
    texts: (span) => events.texts(span),
    added: (span) => events.added?.(span) ?? [],
    translatable: (span) => events.translatable?.(span) ?? [],
    sessionKeys: (span) => events.sessionKeys?.(span),
    get sessions() {
      return events.sessions;
    },
    set sessions(sessions) {
      events.sessions = sessions;
    },
  };
}

function valueOnly(this: SpanEvents, _part: unknown, span: number, field: number): ReturnType<SpanEvents['value']> {
  return this.value(span, field);
}
