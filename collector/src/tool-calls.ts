import { randomInt } from 'node:crypto';
import { ToolCalls } from './detect/calls/tool-calls.ts';
import type { StateBounds } from './detect/state-bounds.ts';
import type { Calls } from './judging.ts';
import type { Metrics } from './metrics.ts';
import type { FieldTable } from './model/fields.ts';

const settleNanosMax = 10_000_000_000n;
const openNanos = 600_000_000_000n;
const seedMax = 2 ** 31;

/**
 * Views of a tool call wait for those that count before them for 10 s of event time, less where spans may be late by less than 30 s: what
 * comes of it must not be late itself. A proposed call that nobody answers is told after ten minutes.
 */
export function createToolCalls(
  fields: FieldTable,
  allowedLatenessNanos: bigint,
  bounds?: StateBounds['calls'],
): ToolCalls {
  const third = allowedLatenessNanos / 3n;
  const settleNanos = third < settleNanosMax ? third : settleNanosMax;
  return new ToolCalls({ fields, settleNanos, openNanos, seed: randomInt(seedMax), ...(bounds && { bounds }) });
}

/**
 * Calls are told for rules: while none are loaded nothing is noted, and what was noted before is forgotten when its time has come. Rules
 * that come later meet calls as after a first start.
 */
export function whileRules(areLoaded: () => boolean, calls: Calls): Calls {
  return {
    get newestNanos() {
      return calls.newestNanos;
    },
    masked: (events) => (areLoaded() ? calls.masked(events) : events),
    spans: (events, latestNanos) => {
      if (areLoaded()) calls.spans(events, latestNanos);
    },
    advance: (eventNanos) => calls.advance(eventNanos),
    flush: () => calls.flush(),
  };
}

export function addToolCallGauges(metrics: Metrics, calls: ToolCalls): void {
  const { counters } = calls;
  const gauges = [
    ['remembered', 'Views of tool calls that are remembered.', () => calls.size],
    ['joined_views', 'Views of tool calls that another view stands for.', () => counters.joined],
    ['told', 'Tool calls told that have no tool span.', () => counters.told],
    ['unanswered', 'Tool calls that were proposed and never answered.', () => counters.unanswered],
    ['changed', 'Tool calls executed with other arguments than proposed.', () => counters.changed],
    ['hurried', 'Views of tool calls decided early because too many were remembered.', () => counters.hurried],
  ] as const;
  for (const [name, help, read] of gauges) metrics.gauge(`spanwarden_calls_${name}`, help, read);
}
