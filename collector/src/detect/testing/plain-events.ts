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
    batch: plainBatch(all),
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

/** As much of a batch as the detector reads: how many spans, their ids and times. */
function plainBatch(
  spans: readonly {
    readonly fields: Readonly<Record<string, Value>>;
    readonly startNanos?: bigint;
    readonly endNanos?: bigint;
  }[],
): SpanBatch {
  const rows = new Int32Array(spans.length * Span.stride).fill(-1);
  const bytes = Buffer.alloc(spans.length * spanBytes);
  for (const [index, { fields, startNanos, endNanos }] of spans.entries()) {
    const [row, at] = [index * Span.stride, index * spanBytes];
    const put = (column: number, offset: number, part: Buffer | undefined): void => {
      if (part === undefined) return;
      part.copy(bytes, at + offset);
      rows[row + column] = at + offset;
    };
    put(Span.traceId, 0, idBytes(fields.trace_id, 16));
    put(Span.spanId, 16, idBytes(fields.span_id, 8));
    put(Span.parentSpanId, 24, idBytes(fields.parent_span_id, 8));
    put(Span.start, 32, timeBytes(startNanos));
    put(Span.end, 40, timeBytes(endNanos));
  }
  return {
    spanCount: spans.length,
    spans: rows,
    bytes,
    hex: (start: number, length: number) => (start < 0 ? '' : bytes.toString('hex', start, start + length)),
    nanos: (offset: number) => bytes.readBigUInt64LE(offset),
  } as unknown as SpanBatch;
}

const spanBytes = 48;

/** Ids in tests need not be hex: others are their last characters. */
function idBytes(id: Value | undefined, length: number): Buffer | undefined {
  if (typeof id !== 'string' || id === '') return undefined;
  const isHex = id.length === length * 2 && /^[0-9a-f]+$/.test(id);
  return isHex ? Buffer.from(id, 'hex') : Buffer.from(id.slice(-length).padStart(length, '0'), 'latin1');
}

function timeBytes(nanos: bigint | undefined): Buffer | undefined {
  if (nanos === undefined) return undefined;
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(nanos);
  return bytes;
}
