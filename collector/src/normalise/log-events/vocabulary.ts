import type { NamedValue } from '../../model/agent-event.ts';
import { type Value, valueJson } from '../../model/value.ts';
import type { LogRecord } from './log-record.ts';

/** What a log record says, in canonical attributes. */
export interface Said {
  /** The emitter's convention, as `spanwarden.dialect` of spans has it. */
  readonly dialect: string;
  /** Name of the event, with its prefix: `claude_code.tool_result`. */
  readonly event: string;
  readonly attributes: readonly NamedValue[];
  readonly failed?: boolean;
  /** What it is about: the span of its trace context, a response or a tool call; without it the record stands alone. */
  readonly about?: 'span' | { readonly response: string } | { readonly call: string };
  /** Nothing more will be told about the same thing after it. */
  readonly final?: boolean;
}

/** Reads the records of one convention; undefined for those of others. Must not throw on any record. */
export type Vocabulary = (record: LogRecord) => Said | undefined;

/** Attributes that have a value, in canonical names. */
export function present(values: Readonly<Record<string, Value | undefined>>): readonly NamedValue[] {
  return Object.entries(values).filter((entry): entry is [string, Value] => entry[1] !== undefined && entry[1] !== '');
}

/** A message list of one text. */
export function messageOf(role: string, text: string | undefined): string | undefined {
  return text === undefined ? undefined : valueJson([{ role, parts: [{ type: 'text', content: text }] }]);
}

/** Numbers, also where they were sent as text; undefined when there is none. */
export function numberOf(value: Value | undefined): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

export function sumOf(...values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0);
}

/** `success` is a text with most emitters. */
export function isFalse(value: Value | undefined): boolean {
  return value === false || (typeof value === 'string' && value.toLowerCase() === 'false');
}

/** What was decided about a tool call, in one word for all emitters; undefined for words nobody knows. */
export function decisionOf(word: string | undefined): 'approved' | 'denied' | undefined {
  const plain = word?.toLowerCase().replaceAll(/[^a-z]/g, '') ?? '';
  if (/^(?:accept|autoaccept|approve|allow|modify)/.test(plain)) return 'approved';
  return /^(?:reject|den(?:y|ied)|abort|timedout|cancel|decline)/.test(plain) ? 'denied' : undefined;
}
