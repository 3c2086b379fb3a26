import { createHash } from 'node:crypto';
import type { FieldId, FieldTable } from '../model/fields.ts';
import type { Evidence, Finding } from '../model/finding.ts';
import { limits } from '../model/limits.ts';
import { Span } from '../model/span-batch.ts';
import type { SpanEvents } from '../model/span-events.ts';
import { valueText } from '../model/value.ts';
import { createCompiler, type Node } from './compile.ts';
import type { Rule } from './load.ts';
import type { Cursor } from './reader.ts';

export interface DetectorOptions {
  readonly rules: readonly Rule[];
  readonly fields: FieldTable;
}

export interface Detector {
  /** The findings of a batch, in the order of its spans and rules. Keeps nothing of the batch. */
  detect(events: SpanEvents): Finding[];
  /** What every rule has seen since the start. */
  ruleStats(): RuleStats[];
  /** Findings dropped because one span had more than `limits.findingsPerSpanMax`. */
  readonly findingsDropped: number;
}

export interface RuleStats {
  readonly ruleId: string;
  /** Spans of the rule's logsource. */
  readonly spans: number;
  readonly matches: number;
}

/** Compiles the rules once; afterwards every span pays only for the rules of its categories. */
export function createDetector({ rules, fields }: DetectorOptions): Detector {
  const compile = createCompiler(fields);
  const compiled = rules.map((rule): Compiled => ({ rule, node: compile(rule), matches: 0, reason: reasonOf(rule) }));
  const describe = createDescriber(fields);
  const routes = new Map<number, readonly Compiled[]>();
  const spansOf = new Map<number, number>();
  const cursor: Cursor = { events: undefined as unknown as SpanEvents, span: 0, turn: 0 };
  let findingsDropped = 0;

  const routeOf = (categories: number): readonly Compiled[] => {
    const known = routes.get(categories);
    if (known) return known;
    const route = compiled.filter(({ rule }) => (rule.categories & categories) !== 0);
    routes.set(categories, route);
    return route;
  };

  return {
    detect: (events) => {
      const findings: Finding[] = [];
      cursor.events = events;
      for (let span = 0; span < events.batch.spanCount; span++) {
        const categories = events.categories(span);
        spansOf.set(categories, (spansOf.get(categories) ?? 0) + 1);
        if (categories === 0) continue;
        cursor.span = span;
        cursor.turn++;
        let found = 0;
        for (const each of routeOf(categories)) {
          if (!each.node.test(cursor)) continue;
          each.matches++;
          if (++found > limits.findingsPerSpanMax) findingsDropped++;
          else findings.push(describe(each, cursor));
        }
      }
      return findings;
    },
    ruleStats: () =>
      compiled.map(({ rule, matches }) => ({ ruleId: rule.meta.id, spans: spansFor(rule, spansOf), matches })),
    get findingsDropped() {
      return findingsDropped;
    },
  };
}

interface Compiled {
  readonly rule: Rule;
  readonly node: Node;
  readonly reason: string;
  matches: number;
}

function spansFor(rule: Rule, spansOf: ReadonlyMap<number, number>): number {
  let spans = 0;
  for (const [categories, count] of spansOf) if ((rule.categories & categories) !== 0) spans += count;
  return spans;
}

const shownFields = {
  traceId: 'trace_id',
  spanId: 'span_id',
  spanName: 'span.name',
  serviceName: 'service.name',
  agentName: 'gen_ai.agent.name',
  conversationId: 'gen_ai.conversation.id',
  userId: 'user.id',
  toolName: 'gen_ai.tool.name',
} as const;

type ShownField = keyof typeof shownFields;

function createDescriber(fields: FieldTable): (match: Compiled, cursor: Cursor) => Finding {
  const shown = Object.entries(shownFields).map(([key, name]): [ShownField, FieldId] => [
    key as ShownField,
    fields.intern(name),
  ]);
  return ({ rule, node, reason }, cursor) => {
    const { events, span } = cursor;
    const texts = {} as Record<ShownField, string>;
    for (const [key, id] of shown) texts[key] = valueText(events.value(span, id) ?? '');
    const evidence: Evidence[] = [];
    node.collect(cursor, evidence);
    const { meta } = rule;
    const groupKey = '';
    const end = events.batch.spans[span * Span.stride + Span.end]!;
    return {
      id: findingId(meta.id, groupKey, texts.traceId + texts.spanId),
      timeNanos: end < 0 ? 0n : events.batch.nanos(end),
      ruleId: meta.id,
      ruleTitle: meta.title,
      ruleVersion: meta.version,
      level: meta.level,
      response: meta.response,
      tags: meta.tags,
      reason,
      groupKey,
      ...texts,
      evidence,
    };
  };
}

/** The same rule, group and first span always give the same id, so that a replay repeats findings and adds none. */
function findingId(ruleId: string, groupKey: string, firstSpan: string): string {
  return createHash('sha256').update(`${ruleId}\0${groupKey}\0${firstSpan}`).digest('hex').slice(0, 32);
}

/** The first sentence of the description, else the title. */
function reasonOf({ meta }: Rule): string {
  const text = meta.description.replaceAll(/\s+/g, ' ').trim();
  return /^.*?[.!?](?=\s|$)/.exec(text)?.[0] ?? (text || meta.title);
}
