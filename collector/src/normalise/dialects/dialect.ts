import type { Value, ValueMap } from '../../model/value.ts';

/**
 * A foreign convention and how its spans say what the canonical attributes say (OTel `gen_ai.*` and `mcp.*`).
 *
 * Everything is data and small pure functions: a reading runs only when somebody asks for its field on a span that was
 * recognised as this dialect and that has no canonical attribute of that name. See docs/adding-a-dialect.md.
 */
export interface Dialect {
  /** As `spanwarden.dialect` shows it: lower case, `_` between words. */
  readonly name: string;
  /** How its spans are told from others. One of them is enough. */
  readonly marks: Marks;
  /**
   * Readings by canonical attribute. What a reading gives is brought into the form of the taxonomy: numbers in text become
   * numbers, lists of messages in any known shape become OTel messages, structures become JSON. `undefined`, an empty text and a
   * redaction marker mean that the span does not say.
   */
  readonly fields: Fields;
  /**
   * Readings of attributes that the emitter fills wrongly under their canonical names. What one gives counts before the span's own
   * value; `null` means that the span does not say, whatever stands there; `undefined` leaves the span's own value as it is.
   */
  readonly corrects?: Corrections;
  /** The same, asked only after all recognised dialects: raw input and output, which hold more than one field. */
  readonly lastResort?: Fields;
  /** An older generation of the canonical names: `spanwarden.dialect` names it only where the span speaks nothing else. */
  readonly older?: true;
  /** Speaks canonical names and nothing else: of spans that need no change nothing is said, so that they are stored as they came. */
  readonly canonical?: true;
  /** The emitter's version where it is not the version of the instrumentation scope. */
  readonly version?: Reading;
}

export type Fields = Readonly<Record<string, Reading>>;

export type Corrections = Readonly<Record<string, Correction>>;

/** Asked only where the span has the canonical attribute itself. Must not throw on any value. */
export type Correction = (span: SpanSource) => Value | typeof elsewhere | undefined;

/** The own value does not count; other attributes may say the field, as if the span had none of that name. */
export const elsewhere = Symbol('elsewhere');

/** Takes one field from a span; undefined when the span does not say. Must not throw on any value. */
export type Reading = (span: SpanSource) => Value | undefined;

/** Names are exact, or all that begin with them when they end in `*`. */
export interface Marks {
  /** Instrumentation scopes. Only scopes whose spans all belong to the dialect. */
  readonly scopes?: readonly string[];
  /** Names of span attributes (log attributes, where the source is a log record). */
  readonly attributes?: readonly string[];
  /** Names of span events, looked at on spans that have a `gen_ai.*` attribute. */
  readonly events?: readonly string[];
  /** Resource attributes with their value. */
  readonly resource?: readonly (readonly [name: string, value: string])[];
}

export interface SourceEvent {
  readonly name: string;
  readonly attributes: ValueMap;
}

/** One span, or one log record, as readings see it. Values are as they were sent. */
export interface SpanSource {
  /** Span name, or event name of a log record. */
  readonly name: string;
  readonly scopeName: string;
  readonly scopeVersion: string;
  /** Status is Error. */
  readonly failed: boolean;
  readonly statusMessage: string;
  /** Body of a log record; undefined for spans. */
  readonly body: Value | undefined;
  /** An attribute; redaction markers and empty texts count as absent. */
  attribute(name: string): Value | undefined;
  /** Whether the span has the attribute, with nothing in it. */
  isEmpty(name: string): boolean;
  resource(name: string): Value | undefined;
  /**
   * Attributes `prefix.…` un-flattened: numeric keys become lists in their order, the others maps.
   * `llm.input_messages.0.message.role` gives `[{ message: { role } }]` for `llm.input_messages`.
   */
  tree(prefix: string): Value | undefined;
  /** Span events of these names, in their order. */
  events(...names: readonly string[]): readonly SourceEvent[];
  /** Another canonical field of the same span, by whichever dialect says it. A field that asks for itself gets undefined. */
  canonical(field: string): Value | undefined;
}
