import type { FieldTable } from '../model/fields.ts';
import { Span } from '../model/span-batch.ts';
import type { SpanEvents } from '../model/span-events.ts';
import { isList, type Value, valueText } from '../model/value.ts';
import type { ShownSpan } from './render.ts';

/** A span with what the story asks of it besides what it shows. */
export interface StorySpan extends ShownSpan {
  /** `service.instance.id` of the resource: which of the demo's runs it belongs to. */
  readonly run: string;
  /** Tools the span is about, run or asked for, with `_` for `.` and `-`. */
  readonly tools: readonly string[];
}

/** Reads what the demo shows out of a batch; copies everything, because the batch is reused. */
export function storySpans(events: SpanEvents, fields: FieldTable): StorySpan[] {
  const { batch } = events;
  return Array.from({ length: batch.spanCount }, (_, span) => {
    const value = (name: string): Value | undefined => events.value(span, fields.intern(name));
    const text = (name: string): string => valueText(value(name) ?? '');
    return {
      run: text('resource.service.instance.id'),
      traceId: text('trace_id'),
      spanId: text('span_id'),
      parentSpanId: text('parent_span_id'),
      name: text('span.name'),
      tools: [text('gen_ai.tool.name'), ...listOf(value('spanwarden.proposed.tool_names'))]
        .map(toolKey)
        .filter(Boolean),
      detail: detailOf(value, text),
      startNanos: batch.nanos(batch.spans[span * Span.stride + Span.start]!),
      durationMs: Number(value('span.duration_ms') ?? 0),
      failed: text('span.status_code') === 'Error',
    };
  });
}

const detailCharsMax = 200;

function toolKey(name: string): string {
  return name.replaceAll(/[.-]/g, '_');
}

/** What happened in a span, in a few words. */
function detailOf(value: (name: string) => Value | undefined, text: (name: string) => string): string {
  const proposed = listOf(value('spanwarden.proposed.tool_names'));
  if (proposed.length > 0) return `asks for ${proposed.join(', ')}`;
  const output = listOf(value('spanwarden.text.output')).join(' ');
  if (output !== '') return `“${output.slice(0, detailCharsMax)}”`;
  const args = text('gen_ai.tool.call.arguments');
  if (args !== '') return argumentsText(args).slice(0, detailCharsMax);
  const definitions = listOf(value('spanwarden.tool.definition.names'));
  if (definitions.length > 0) return `${definitions.length} tools: ${definitions.join(', ')}`;
  return text('spanwarden.mcp.server.name');
}

function listOf(value: Value | undefined): readonly string[] {
  if (value === undefined) return [];
  return isList(value) ? value.map(valueText) : [valueText(value)];
}

/** `key=value` pairs of an arguments object; other JSON as it is. */
function argumentsText(json: string): string {
  try {
    const parsed: unknown = JSON.parse(json);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return json;
    return Object.entries(parsed)
      .map(([key, item]) => `${key}=${typeof item === 'string' ? item : JSON.stringify(item)}`)
      .join(' ');
  } catch {
    return json;
  }
}
