import type { FieldId, FieldTable } from '../../model/fields.ts';
import { Span } from '../../model/span-batch.ts';
import { valueText } from '../../model/value.ts';
import type { CorrelationEvent } from '../correlate/event.ts';
import type { Rule } from '../load.ts';
import type { Cursor } from '../reader.ts';
import { createFoldValues } from '../repeats/fold-values.ts';
import { createIdentity, type SpanIdentity } from '../span-identity.ts';
import { startChain } from './chain.ts';
import type { Judge } from './judge.ts';
import { createInterning, type KeptSpan, type KeptValues, keptValue } from './kept.ts';
import type { Program, Programs } from './program.ts';
import { guarded, type RuleFailure } from './rule-failure.ts';
import type { Waiting } from './waiting.ts';

/** What is kept of a span that arrives. */
export interface Arrival {
  readonly traceId: string;
  readonly span: KeptSpan;
  /** For each rule that the span's own fields do not exclude, what deciding it later needs. */
  readonly asked: readonly Waiting[];
}

export interface ArrivalOptions {
  /** What correlations need of the span that the cursor stands on; undefined when none uses the rule. */
  readonly eventOf?: (cursor: Cursor, rule: Rule) => CorrelationEvent | undefined;
  /** Whether a rule is to be asked; all are when left out. */
  readonly runs?: (rule: Rule) => boolean;
  readonly onFailed?: RuleFailure;
}

/** Reads spans while their batch is there. */
export class Arrivals {
  readonly intern = createInterning();
  readonly #programs: readonly Program[];
  readonly #judge: Judge;
  readonly #options: ArrivalOptions;
  readonly #routes = new Map<number, readonly Program[]>();
  readonly #ids: { readonly trace: FieldId; readonly span: FieldId; readonly parent: FieldId };
  readonly #baseIds: readonly FieldId[];
  readonly #identityOf: (cursor: Cursor) => SpanIdentity;
  readonly #foldValuesOf: ReturnType<typeof createFoldValues>;

  constructor({ programs, bases }: Programs, judge: Judge, fields: FieldTable, options: ArrivalOptions) {
    this.#programs = programs;
    this.#judge = judge;
    this.#options = options;
    const [trace, span, parent] = ['trace_id', 'span_id', 'parent_span_id'].map((name) => fields.intern(name));
    this.#ids = { trace: trace!, span: span!, parent: parent! };
    this.#baseIds = bases.map((base) => fields.intern(base));
    this.#identityOf = createIdentity(fields);
    this.#foldValuesOf = createFoldValues(fields);
  }

  read(cursor: Cursor, categories: number): Arrival {
    const span = this.#keep(cursor);
    const traceId = valueText(cursor.events.value(cursor.span, this.#ids.trace) ?? '');
    const asked: Waiting[] = [];
    for (const program of this.#routeOf(categories)) {
      if (this.#options.runs?.(program.rule) === false) continue;
      const waiting = guarded(program.rule, this.#options.onFailed, () => this.#ask(program, cursor, span));
      if (waiting) asked.push(waiting);
    }
    return { traceId, span, asked };
  }

  #ask(program: Program, cursor: Cursor, self: KeptSpan): Waiting | undefined {
    const { events, span } = cursor;
    if (this.#judge.verdict(program, events, span) === 0) return undefined;
    const event = this.#options.eventOf?.(cursor, program.rule);
    const foldValues = this.#foldValuesOf(program.rule.meta, cursor);
    return {
      program,
      identity: this.#identityOf(cursor),
      chain: startChain(self),
      ...this.#judge.ownPart(program, events, span),
      ...(event && { event }),
      ...(foldValues && { foldValues }),
      bytes: 0,
      decided: false,
    };
  }

  #routeOf(categories: number): readonly Program[] {
    const known = this.#routes.get(categories);
    if (known) return known;
    const route = this.#programs.filter(({ rule }) => (rule.categories & categories) !== 0);
    this.#routes.set(categories, route);
    return route;
  }

  #keep({ events, span }: Cursor): KeptSpan {
    const end = events.batch.spans[span * Span.stride + Span.end]!;
    const values: KeptValues = this.#baseIds.map((id) => {
      const value = events.value(span, id);
      return value === undefined ? undefined : keptValue(value);
    });
    return {
      spanId: valueText(events.value(span, this.#ids.span) ?? ''),
      parentId: valueText(events.value(span, this.#ids.parent) ?? ''),
      endNanos: end < 0 ? 0n : events.batch.nanos(end),
      values: this.intern(values),
    };
  }
}
