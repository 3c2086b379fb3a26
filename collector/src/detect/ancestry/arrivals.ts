import type { FieldId, FieldTable } from '../../model/fields.ts';
import type { SpanEvents } from '../../model/span-events.ts';
import type { Value } from '../../model/value.ts';
import type { CorrelationEvent } from '../correlate/event.ts';
import type { Rule } from '../load.ts';
import type { Cursor } from '../reader.ts';
import { createFoldValues } from '../repeats/fold-values.ts';
import { createIdentity, type SpanIdentity } from '../span-identity.ts';
import type { Judge } from './judge.ts';
import { type FieldsInterning, type KeptFields, keptValue } from './kept.ts';
import type { Programs } from './program.ts';
import { guarded, type RuleFailure } from './rule-failure.ts';
import type { Ask, Waiting } from './waiting.ts';

export interface ArrivalOptions {
  /** What correlations need of the span that the cursor stands on; undefined when none uses the rule. */
  readonly eventOf?: (cursor: Cursor, rule: Rule) => CorrelationEvent | undefined;
  /** Whether a rule is to be asked; all are when left out. */
  readonly runs?: (rule: Rule) => boolean;
  readonly onFailed?: RuleFailure;
}

/** Reads spans while their batch is there. */
export class Arrivals {
  readonly #programs: Programs;
  readonly #judge: Judge;
  readonly #options: ArrivalOptions;
  readonly #interning: FieldsInterning;
  readonly #baseIds: readonly FieldId[];
  readonly #identityOf: (cursor: Cursor) => SpanIdentity;
  readonly #foldValuesOf: ReturnType<typeof createFoldValues>;
  readonly #cursor: Cursor = { events: undefined as unknown as SpanEvents, span: 0, turn: 0 };

  constructor(
    programs: Programs,
    judge: Judge,
    fields: FieldTable,
    interning: FieldsInterning,
    options: ArrivalOptions,
  ) {
    this.#programs = programs;
    this.#judge = judge;
    this.#options = options;
    this.#interning = interning;
    this.#baseIds = programs.bases.map((base) => fields.intern(base));
    this.#identityOf = createIdentity(fields);
    this.#foldValuesOf = createFoldValues(fields);
  }

  /** What spans below it may ask for. */
  fields({ events, span }: Cursor): KeptFields {
    const ids = this.#baseIds;
    const values: (Value | undefined)[] = [];
    for (let base = 0; base < ids.length; base++) {
      const value = events.value(span, ids[base]!);
      values.push(value === undefined ? undefined : keptValue(value));
    }
    return this.#interning.of(values);
  }

  /** The rules that the span's own fields do not exclude; undefined when there is none, as for most spans. */
  asks(cursor: Cursor, categories: number): Ask[] | undefined {
    if (categories === 0) return undefined;
    let asks: Ask[] | undefined;
    for (const place of this.#programs.route(categories, cursor)) {
      const program = this.#programs.programs[place]!;
      if (this.#options.runs?.(program.rule) === false) continue;
      const ask = guarded(program.rule, this.#options.onFailed, () => this.#judge.ask(program, cursor));
      if (ask === undefined) continue;
      asks ??= [];
      asks.push(ask);
    }
    return asks;
  }

  /** Reads what a finding will need of a span, while its batch is there. False when the rule throws at it. */
  show(waiting: Waiting, ask: Ask, events: SpanEvents): boolean {
    if (ask.shown) return true;
    const cursor = this.#standOn(waiting, events);
    const { rule } = ask.program;
    const shown = guarded(rule, this.#options.onFailed, () => {
      waiting.identity ??= this.#identityOf(cursor);
      const event = this.#options.eventOf?.(cursor, rule);
      const foldValues = this.#foldValuesOf(rule.meta, cursor);
      const evidence = this.#judge.evidence(ask, cursor);
      return { evidence, ...(event && { event }), ...(foldValues && { foldValues }) };
    });
    if (shown) ask.shown = shown;
    return shown !== undefined;
  }

  #standOn({ span }: Waiting, events: SpanEvents): Cursor {
    this.#cursor.events = events;
    this.#cursor.span = span;
    this.#cursor.turn = this.#judge.nextTurn();
    return this.#cursor;
  }
}
