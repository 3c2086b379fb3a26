import { existsSync, readFileSync, statSync } from 'node:fs';
import { decodeAs } from '../decode/json.ts';
import { TraceDecoder } from '../decode/trace-decoder.ts';
import { parseSpanFile } from '../detect/parse/span-file.ts';
import { Report } from '../detect/report.ts';
import { type ErrorCode, SpanwardenError } from '../model/errors.ts';
import type { FieldTable } from '../model/fields.ts';
import { limits } from '../model/limits.ts';
import { Span } from '../model/span-batch.ts';
import type { SpanEvents } from '../model/span-events.ts';
import { valueText } from '../model/value.ts';
import { NormalisedEvents } from '../normalise/span-events.ts';
import { Prices } from '../prices/prices.ts';
import type { StoreClient } from '../store/client.ts';
import { planHistory, readHistory } from '../store/history/read.ts';
import { createTestEvents } from './rule-test-events.ts';

/** Spans to be explained: where they stand in `events`, and what people call them. */
export interface SpansToExplain {
  readonly events: SpanEvents;
  readonly spans: readonly SpanToExplain[];
  /** Whether something of the span's trace was redacted before it was stored: values differ from what the stream saw. */
  readonly redacted?: boolean;
}

export interface SpanToExplain {
  readonly index: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly name: string;
  /** The case of the rule test it stands in, '' outside of tests. */
  readonly caseName: string;
}

/**
 * Reads the spans that an argument names: a file, or `-` for stdin, with OTLP/JSON or with spans as rule tests write them;
 * `#` and a span id, a number from 1, or a case's name choose among them. Throws a SpanwardenError when there is none.
 */
export function readSpans(argument: string, fields: FieldTable): SpansToExplain {
  const hash = existsSync(argument) ? -1 : argument.lastIndexOf('#');
  const path = hash < 0 ? argument : argument.slice(0, hash);
  const wanted = hash < 0 ? undefined : argument.slice(hash + 1);
  const bytes = readInput(path);
  const text = bytes.toString('utf8');
  const isOtlp = /^\s*\{/.test(text) && /"resource_?spans"/i.test(text);
  const { events, caseNames } = isOtlp ? otlpEvents(bytes, path, fields) : testEvents(text, path, fields);
  const textOf = (span: number, name: string): string => valueText(events.value(span, fields.intern(name)) ?? '');
  const all = Array.from({ length: events.batch.spanCount }, (_, index): SpanToExplain => {
    const [traceId, spanId, name] = ['trace_id', 'span_id', 'span.name'].map((field) => textOf(index, field));
    return { index, traceId: traceId!, spanId: spanId!, name: name!, caseName: caseNames[index] ?? '' };
  });
  const spans = wanted === undefined ? all : chosen(all, wanted);
  if (spans.length > 0) return { events, spans };
  if (wanted === undefined)
    throw failure('SW_RULE_FILE', `${path} holds no span`, 'Write tool:, chat: or span:, or OTLP/JSON.');
  throw failure(
    'SW_RULE_VALUE',
    `no span of ${path} is called ${wanted}`,
    'Write a span id, a number from 1, or a case.',
  );
}

function chosen(all: readonly SpanToExplain[], wanted: string): SpanToExplain[] {
  const byName = all.filter(({ spanId, caseName }) => spanId === wanted.toLowerCase() || caseName === wanted);
  return byName.length > 0 ? byName : all.filter(({ index }) => String(index + 1) === wanted);
}

function otlpEvents(bytes: Buffer, path: string, fields: FieldTable): Read {
  const outcome = decodeAs(new TraceDecoder(fields), 'traces', 'json', bytes);
  if (outcome.status !== 'ok') throw failure('SW_RULE_FILE', `${path}: ${outcome.message}`, 'Check the OTLP/JSON.');
  return { events: new NormalisedEvents(fields, new Prices()).bind(outcome.batch), caseNames: [] };
}

interface Read {
  readonly events: SpanEvents;
  readonly caseNames: readonly string[];
}

function testEvents(text: string, path: string, fields: FieldTable): Read {
  const report = new Report();
  const named = parseSpanFile(path, text, report);
  if (report.errors.length > 0) throw new SpanwardenError(report.errors);
  return {
    events: createTestEvents(fields)(named.map(({ span }) => span)),
    caseNames: named.map(({ caseName }) => caseName),
  };
}

/** Whether an argument names a stored span: `<trace id>/<span id>`. */
export function isStoredSpan(argument: string): boolean {
  return /^[0-9a-f]{32}\/[0-9a-f]{16}$/i.test(argument) && !existsSync(argument);
}

/** The span with the others of its trace around it, as they stand in ClickHouse. */
export async function readStoredSpan(
  client: StoreClient,
  argument: string,
  fields: FieldTable,
): Promise<SpansToExplain> {
  const [traceId = '', spanId = ''] = argument.toLowerCase().split('/');
  const toNanos = BigInt(Date.now() + 2 * 86_400_000) * 1_000_000n;
  const plan = await planHistory(client, { fromNanos: 0n, toNanos, traceId });
  const events = new NormalisedEvents(fields, new Prices());
  const { batches, losses } = readHistory(client, plan, { fields, batchBytes: limits.bodyInflatedBytesMax });
  for await (const batch of batches) {
    for (let index = 0; index < batch.spanCount; index++) {
      const at = index * Span.stride;
      if (batch.hex(batch.spans[at + Span.spanId]!, 8) !== spanId) continue;
      const name = batch.text(batch.spans[at + Span.name]!, batch.spans[at + Span.nameLength]!);
      const spans = [{ index, traceId, spanId, name, caseName: '' }];
      return { events: events.bind(batch), spans, redacted: losses.redacted > 0 };
    }
  }
  const what = plan.spans === 0 ? 'no span of this trace is stored' : 'the trace has no such span';
  throw failure('SW_RULE_VALUE', `${argument}: ${what}`, 'spanwarden findings show <id> names the span of a finding.');
}

function readInput(path: string): Buffer {
  if (path !== '-' && !(existsSync(path) && statSync(path).isFile())) {
    throw failure('SW_RULE_FILE', `there is no file ${path}`, 'Name a file with a span, or - for stdin.');
  }
  const bytes = readFileSync(path === '-' ? 0 : path);
  if (bytes.length <= limits.bodyBytesMax) return bytes;
  throw failure('SW_RULE_FILE', `${path} is larger than ${limits.bodyBytesMax} bytes`, 'Cut it down to the span.');
}

function failure(code: ErrorCode, message: string, advice: string): SpanwardenError {
  return new SpanwardenError({ code, message, advice });
}
