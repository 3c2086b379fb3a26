import type { FieldTable } from '../../model/fields.ts';
import type { RuleStatsDelta, SeenField } from '../../model/rule-health.ts';
import { Span } from '../../model/span-batch.ts';
import type { SpanEvents } from '../../model/span-events.ts';
import { valueText } from '../../model/value.ts';
import type { Rule } from '../load.ts';
import type { Cursor } from '../reader.ts';
import { fieldsOf } from '../rule-fields.ts';
import { SeenFields } from './seen-fields.ts';
import type { RuleTally } from './tally.ts';

/** What rules did, and which fields arrived, since the last time. */
export interface RuleHealth {
  readonly stats: readonly RuleStatsDelta[];
  readonly fields: readonly SeenField[];
}

/** Counts what all rules have in common: the spans of their logsources, and what arrived in them. */
export interface HealthRecorder {
  span(events: SpanEvents, span: number, categories: number): void;
  matched(tally: RuleTally, cursor: Cursor, found: boolean): void;
  /** Spans of a rule's logsource since the start. */
  spansOf(rule: Rule): number;
  take(tallies: readonly RuleTally[], nowMs: number): RuleHealth;
}

export function createHealth(options: {
  readonly rules: readonly Rule[];
  readonly fields: FieldTable;
  readonly watchedFields?: readonly string[];
}): HealthRecorder {
  const { rules, fields, watchedFields = [] } = options;
  const seen = new SeenFields(fields, new Set([...watchedFields, ...rules.flatMap(fieldsOf)]));
  const counts = new Map<number, number>();
  const [agent, service] = [fields.intern('gen_ai.agent.name'), fields.intern('service.name')];
  const spansOf = (rule: Rule): number => {
    let spans = 0;
    for (const [categories, count] of counts) if ((rule.categories & categories) !== 0) spans += count;
    return spans;
  };
  return {
    span: (events, span, categories) => {
      if (categories === 0) return;
      counts.set(categories, (counts.get(categories) ?? 0) + 1);
      seen.note(events, span, categories);
    },
    matched: (tally, { events, span }, found) => {
      const name = events.value(span, agent) || events.value(span, service) || '';
      const end = events.batch.spans[span * Span.stride + Span.end]!;
      tally.matched(valueText(name).slice(0, 256), end < 0 ? 0n : events.batch.nanos(end), found);
    },
    spansOf,
    take: (tallies, nowMs) => ({
      stats: tallies.flatMap((tally) => tally.take(spansOf(tally.rule))),
      fields: seen.take(Math.floor(nowMs / 86_400_000)),
    }),
  };
}
