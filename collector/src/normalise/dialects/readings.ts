import { isList, type Value, valueText } from '../../model/value.ts';
import { member, parsedValue, textMember } from '../json-value.ts';
import { parseMessages } from '../messages.ts';
import type { Reading, SpanSource } from './dialect.ts';

/** The first of these attributes that the span has. */
export function first(...names: readonly string[]): Reading {
  if (names.length === 1) return (span) => span.attribute(names[0]!);
  return (span) => {
    for (const name of names) {
      const value = span.attribute(name);
      if (value !== undefined) return value;
    }
    return undefined;
  };
}

/** A result; an attribute with nothing in it means that the tool gave nothing. */
export function resultIn(name: string): Reading {
  return (span) => span.attribute(name) ?? (span.isEmpty(name) ? '' : undefined);
}

/** The first of these readings that gives something. */
export function either(...readings: readonly Reading[]): Reading {
  return (span) => {
    for (const reading of readings) {
      const value = reading(span);
      if (value !== undefined) return value;
    }
    return undefined;
  };
}

/** A member of the JSON in an attribute, by a path of keys. */
export function inJson(name: string, ...path: readonly string[]): Reading {
  return (span) => path.reduce(member, parsedValue(span.attribute(name)));
}

/** Indexed keys: `prefix.0.role`, `prefix.0.content`, … */
export function indexed(prefix: string): Reading {
  return (span) => span.tree(prefix);
}

/** What a reading gives, by a table of texts in lower case; undefined for texts that are not in it. */
export function mapped(reading: Reading, table: Readonly<Record<string, string>>): Reading {
  const known = new Map(Object.entries(table));
  return (span) => {
    const value = reading(span);
    return value === undefined ? undefined : known.get(valueText(value).toLowerCase());
  };
}

/** What a reading gives, converted; the conversion may say undefined. */
export function converted(reading: Reading, convert: (value: Value) => Value | undefined): Reading {
  return (span) => {
    const value = reading(span);
    return value === undefined ? undefined : convert(value);
  };
}

/** A reading that counts only where a condition holds. */
export function when(condition: (span: SpanSource) => boolean, reading: Reading): Reading {
  return (span) => (condition(span) ? reading(span) : undefined);
}

/** Whether an attribute has one of these texts, in any case. */
export function has(name: string, ...texts: readonly string[]): (span: SpanSource) => boolean {
  const wanted = new Set(texts.map((text) => text.toLowerCase()));
  return (span) => {
    const value = span.attribute(name);
    return value !== undefined && wanted.has(valueText(value).toLowerCase());
  };
}

/** Whether the span's operation, by whichever dialect says it, is one of these. */
export function operationIs(...operations: readonly string[]): (span: SpanSource) => boolean {
  const wanted = new Set(operations);
  return (span) => {
    const value = span.canonical('gen_ai.operation.name');
    return typeof value === 'string' && wanted.has(value);
  };
}

/** One text or number as a list of one. */
export function listOf(reading: Reading): Reading {
  return converted(reading, (value) => (isList(value) ? value : [value]));
}

/** `error.type` of a span that failed, by its exception event. */
export function exceptionType(span: SpanSource): Value | undefined {
  if (!span.failed) return undefined;
  const types = span.events('exception').map(({ attributes }) => textMember(attributes, 'exception.type'));
  return types.find((type) => type !== undefined && type !== '') ?? '_OTHER';
}

/** What a span that failed says of it: the message of its exception, else of its status. Of a tool it is what the model reads. */
export function thrown(span: SpanSource): Value | undefined {
  if (!span.failed) return undefined;
  const messages = span.events('exception').map(({ attributes }) => member(attributes, 'exception.message'));
  return messages.find((message) => message !== undefined && message !== '') ?? (span.statusMessage || undefined);
}

/** What was embedded, where it stands as a message. Several texts at once are stored, not searched for. */
export function embeddedText(span: SpanSource): Value | undefined {
  const parts = parseMessages(span.attribute('gen_ai.input.messages')).flatMap((message) => message.parts);
  return parts.length === 1 && parts[0]!.kind === 'text' ? parts[0]!.text : undefined;
}

/** Indexed keys that make a list; other keys under the same prefix give none. */
export function indexedList(prefix: string): Reading {
  return converted(indexed(prefix), (value) => (isList(value) ? value : undefined));
}
