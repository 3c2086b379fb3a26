import { createFieldTable } from '../../model/fields.ts';
import type { Finding } from '../../model/finding.ts';
import { Span, type SpanBatch } from '../../model/span-batch.ts';
import { Category, type SpanEvents } from '../../model/span-events.ts';
import type { Value } from '../../model/value.ts';
import { createDetector } from '../engine.ts';
import { type LoadOptions, loadRules } from '../load.ts';

/** A span for tests of the engine: its fields as they are, without decode and normalise. */
export interface PlainSpan {
  readonly fields: Readonly<Record<string, Value>>;
  readonly categories?: number;
  /** Texts that keywords search; the fields' own strings when left out. */
  readonly texts?: readonly string[];
  readonly startNanos?: bigint;
  readonly endNanos?: bigint;
}

/** The findings that rule files give on spans. Spans have ids 1, 2, … and belong to one trace. */
export function findingsOf(
  rules: string | readonly string[],
  spans: readonly PlainSpan[],
  options?: LoadOptions,
): Finding[] {
  const fields = createFieldTable();
  const texts = typeof rules === 'string' ? [rules] : rules;
  const sources = texts.map((text, index) => ({ path: `rules/r${index}.yml`, text }));
  const detector = createDetector({ ...loadRules(sources, options), fields });
  return detector.detect(plainEvents(spans, (id) => fields.name(id)));
}

/** Whether a detection part, in YAML, matches a span with these fields. */
export function matches(detection: string, fields: Readonly<Record<string, Value>>, options?: LoadOptions): boolean {
  return findingsOf(ruleWith(detection), [{ fields }], options).length > 0;
}

/** A whole rule around a detection part in YAML without indentation. */
export function ruleWith(detection: string, more = ''): string {
  const indented = detection
    .trim()
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
  const head = 'title: A rule\nid: 6f2f2a54-7ed9-4d3f-a8d8-6f1f6d9f2b10\n';
  return `${head}${more}logsource: {product: ai_agent, category: tool}\ndetection:\n${indented}\n`;
}

export function plainEvents(spans: readonly PlainSpan[], nameOf: (field: number) => string): SpanEvents {
  const all = spans.map((span, index) => {
    const ids = {
      trace_id: 'aa'.repeat(16),
      span_id: (index + 1).toString(16).padStart(16, '0'),
      'span.name': 'a span',
      ...(span.startNanos !== undefined && { 'span.start_time': span.startNanos }),
      ...(span.endNanos !== undefined && { 'span.end_time': span.endNanos }),
    };
    return { ...span, fields: Object.assign(Object.create(null), ids, span.fields) as Record<string, Value> };
  });
  return {
    batch: plainBatch(spans),
    value: (span, field) => {
      const { fields } = all[span]!;
      return fields[nameOf(field)];
    },
    categories: (span) => all[span]!.categories ?? Category.tool,
    texts: (span) => {
      const { texts, fields } = all[span]!;
      return texts ?? Object.values(fields).filter((value) => typeof value === 'string');
    },
  };
}

/** As much of a batch as the detector reads: how many spans, and their times. */
function plainBatch(spans: readonly PlainSpan[]): SpanBatch {
  const rows = new Int32Array(spans.length * Span.stride).fill(-1);
  const times: bigint[] = [];
  for (const [index, { startNanos, endNanos }] of spans.entries()) {
    if (startNanos !== undefined) rows[index * Span.stride + Span.start] = times.push(startNanos) - 1;
    if (endNanos !== undefined) rows[index * Span.stride + Span.end] = times.push(endNanos) - 1;
  }
  return { spanCount: spans.length, spans: rows, nanos: (offset: number) => times[offset]! } as unknown as SpanBatch;
}
