import { compileRule, createShared } from '../detect/compile.ts';
import { type Correlation, isCorrelation } from '../detect/correlate/correlation.ts';
import type { RuleFilter } from '../detect/filters.ts';
import type { Rule, RuleSet } from '../detect/load.ts';
import { createFieldTable } from '../model/fields.ts';
import { Span } from '../model/span-batch.ts';
import { NormalisedEvents } from '../normalise/span-events.ts';
import type { StoreClient } from '../store/client.ts';
import { planHistory, readHistory } from '../store/history/read.ts';
import { type FoundSpan, findingsOfRules } from '../store/rule-health-reader.ts';

/** What a filter would have hidden. */
export interface Preview {
  readonly title: string;
  readonly rules: readonly string[];
  /** Findings of its rules in that time, and those of them whose span is still stored. */
  readonly findings: number;
  readonly examined: number;
  readonly hidden: number;
  /** Of the hidden ones: marked as true positives, as wrong or harmless, and not at all. */
  readonly confirmed: number;
  readonly dismissed: number;
  readonly unmarked: number;
  readonly byAgent: readonly { readonly agent: string; readonly hidden: number }[];
  /** Ids of hidden findings that were confirmed first. */
  readonly examples: readonly string[];
  /** There were more findings than are looked at. */
  readonly cut: boolean;
}

/** Findings that one preview looks at, the newest first. */
export const previewFindingsMax = 50_000;
const examplesMax = 5;

/** Runs a filter over the spans of past findings of its rules. */
export async function previewFilter(
  client: StoreClient,
  filter: RuleFilter,
  { rules, correlations }: RuleSet,
  since: Date,
): Promise<Preview> {
  const direct = rules.filter(({ meta }) => filter.ruleIds.includes(meta.id));
  const targets = [...direct, ...correlations.filter((correlation) => isBuiltOn(correlation, direct))];
  const ids = targets.flatMap(({ meta }) => [meta.id, ...meta.formerIds]);
  const found = await findingsOfRules(client, ids, since, previewFindingsMax);
  const names = targets.map(({ meta }) => meta.name || meta.title);
  const none = { title: filter.meta.title, rules: names, cut: found.length === previewFindingsMax };
  if (found.length === 0) return { ...none, ...nothing };
  const spans = await spansHidden(client, filter, direct[0]!, ids, found);
  const examined = found.filter((each) => spans.has(keyOf(each)));
  const hidden = examined.filter((each) => spans.get(keyOf(each)) === true);
  const confirmed = hidden.filter(({ disposition }) => disposition === 'true-positive');
  const unmarked = hidden.filter(({ disposition }) => disposition === '');
  const agents = Map.groupBy(hidden, ({ agent }) => agent);
  return {
    ...none,
    findings: found.length,
    examined: examined.length,
    hidden: hidden.length,
    confirmed: confirmed.length,
    dismissed: hidden.length - confirmed.length - unmarked.length,
    unmarked: unmarked.length,
    byAgent: [...agents].map(([agent, { length }]) => ({ agent, hidden: length })).sort((a, b) => b.hidden - a.hidden),
    examples: [...confirmed, ...hidden.filter((each) => !confirmed.includes(each))]
      .slice(0, examplesMax)
      .map(({ id }) => id),
  };
}

/** A correlation that would not have seen its first span. It may have been opened by a later one, so this is the most. */
function isBuiltOn({ members }: Correlation, rules: readonly Rule[]): boolean {
  return members.some(({ source }) => (isCorrelation(source) ? isBuiltOn(source, rules) : rules.includes(source)));
}

const nothing = {
  findings: 0,
  examined: 0,
  hidden: 0,
  confirmed: 0,
  dismissed: 0,
  unmarked: 0,
  byAgent: [],
  examples: [],
};

/** Whether the filter hides each span, by trace and span id. */
async function spansHidden(
  client: StoreClient,
  filter: RuleFilter,
  rule: Rule,
  ruleIds: readonly string[],
  found: readonly FoundSpan[],
): Promise<ReadonlyMap<string, boolean>> {
  const fields = createFieldTable();
  const node = compileRule({ ...rule, detection: filter, filters: [] }, createShared(fields));
  const events = new NormalisedEvents(fields);
  const wanted = new Set(found.map(keyOf));
  const times = found.map(({ endNanos }) => endNanos);
  const range = { fromNanos: minOf(times), toNanos: -minOf(times.map((time) => -time)) + 1n, findingsOf: ruleIds };
  const hidden = new Map<string, boolean>();
  let turn = 0;
  for await (const batch of readHistory(client, await planHistory(client, range), { fields }).batches) {
    events.bind(batch);
    for (let span = 0; span < batch.spanCount; span++) {
      const row = span * Span.stride;
      const traceId = batch.hex(batch.spans[row + Span.traceId]!, 16);
      const key = keyOf({ traceId, spanId: batch.hex(batch.spans[row + Span.spanId]!, 8) });
      if (wanted.has(key)) hidden.set(key, !node.test({ events, span, turn: ++turn }));
    }
  }
  return hidden;
}

function keyOf({ traceId, spanId }: Pick<FoundSpan, 'traceId' | 'spanId'>): string {
  return traceId + spanId;
}

function minOf(numbers: readonly bigint[]): bigint {
  return numbers.reduce((a, b) => (b < a ? b : a));
}
