import { warmUpNanos } from '../backtest/rule-choice.ts';
import type { Correlation } from '../detect/correlate/correlation.ts';
import { CorrelationExplainer } from '../detect/explain-correlation.ts';
import { partsOf } from '../detect/rule-tests.ts';
import { createFieldTable, type FieldTable } from '../model/fields.ts';
import { Span } from '../model/span-batch.ts';
import { NormalisedEvents } from '../normalise/span-events.ts';
import { Prices } from '../prices/prices.ts';
import type { StoreClient } from '../store/client.ts';
import { planHistory, readHistory } from '../store/history/read.ts';
import { findingsOfRules } from '../store/rule-health-reader.ts';
import type { ShownCorrelation } from './correlation-view.ts';
import { readStoredSpan } from './explain-span.ts';
import { createProgress } from './progress.ts';
import { createTestRun } from './rule-test-events.ts';
import { previewFindingsMax } from './suppression-preview.ts';

/** An explanation of a correlation on a stored span and what was stored around it. */
export interface StoredExplanation extends ShownCorrelation {
  readonly span: { readonly traceId: string; readonly spanId: string; readonly name: string };
  /** Whether the span matches one of the listed rules; without that nothing else is looked at. */
  readonly isListed: boolean;
  /** Whether something was redacted before it was stored: values differ from what the stream saw. */
  readonly redacted: boolean;
  /** It matches, and no finding of it on these spans is stored. */
  readonly isUnfound: boolean;
}

/**
 * Explains a correlation on a stored span: its group, from as long before it as windows and baselines reach to as long after it as
 * a window may last. Throws a SpanwardenError when there is no such span.
 */
export async function explainStored(
  client: StoreClient,
  correlation: Correlation,
  argument: string,
): Promise<StoredExplanation> {
  const fields = createFieldTable();
  const { events: around, spans, redacted } = await readStoredSpan(client, argument, fields);
  const { index, traceId, spanId, name } = spans[0]!;
  const endNanos = around.batch.nanos(around.batch.spans[index * Span.stride + Span.end]!);
  const numbers = new Map<string, number>();
  const numberOf = (...ids: [traceId: string, spanId: string]): number => {
    const key = ids.join('/');
    if (!numbers.has(key)) numbers.set(key, numbers.size + 1);
    return numbers.get(key)!;
  };
  const groups = new CorrelationExplainer(correlation, { fields, numberOf }).groupsOf(around, index);
  const explainer = new CorrelationExplainer(correlation, { fields, numberOf, groups: groups ?? new Set() });
  const losses = groups === undefined ? undefined : await replay(client, { correlation, explainer, fields, endNanos });
  const { id, name: ruleName, title } = correlation.meta;
  const explanation = explainer.explanation();
  const matched = explanation.groups.some(({ findings }) => findings > 0);
  return {
    rule: { id, name: ruleName, title, file: correlation.file },
    case: '',
    span: { traceId, spanId, name },
    isListed: groups !== undefined,
    redacted: redacted === true || (losses?.redacted ?? 0) > 0,
    ...explanation,
    matched,
    isUnfound: matched && !(await isFound(client, correlation, endNanos, numbers)),
    withoutKey: groups?.size === 0 ? [numberOf(traceId, spanId)] : [],
    names: Object.fromEntries([...numbers].map(([key, number]) => [number, key])),
  };
}

/** Whether a finding of the correlation is stored that one of these spans opened. */
async function isFound(
  client: StoreClient,
  { meta, syntax }: Correlation,
  endNanos: bigint,
  spans: ReadonlyMap<string, number>,
): Promise<boolean> {
  const since = new Date(Number((endNanos - syntax.timespanNanos * 2n) / 1_000_000n));
  const found = await findingsOfRules(client, [meta.id, ...meta.formerIds], since, previewFindingsMax);
  return found.some(({ traceId, spanId }) => spans.has(`${traceId}/${spanId}`));
}

interface Replay {
  readonly correlation: Correlation;
  readonly explainer: CorrelationExplainer;
  readonly fields: FieldTable;
  /** When the span ended. */
  readonly endNanos: bigint;
}

async function replay(client: StoreClient, { correlation, explainer, fields, endNanos }: Replay) {
  const events = new NormalisedEvents(fields, new Prices());
  const shown = createTestRun(fields).shownBy!(explainer);
  const reach = warmUpNanos(partsOf(correlation));
  const plan = await planHistory(client, {
    fromNanos: endNanos > reach ? endNanos - reach : 0n,
    toNanos: endNanos + correlation.syntax.timespanNanos + 1n,
  });
  const progress = createProgress(plan.spans, process.stderr, performance.now());
  const { batches, losses } = readHistory(client, plan, { fields });
  let done = 0;
  try {
    for await (const batch of batches) {
      shown.detect(events.bind(batch));
      done += batch.spanCount;
      progress.advance(done, performance.now());
    }
  } finally {
    progress.end();
  }
  shown.flush();
  return losses;
}
