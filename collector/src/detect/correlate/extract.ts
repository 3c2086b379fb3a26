import type { FieldTable } from '../../model/fields.ts';
import { limits } from '../../model/limits.ts';
import { Span } from '../../model/span-batch.ts';
import type { Rule } from '../load.ts';
import { numericOf } from '../modifiers/numbers.ts';
import { type Cursor, createReaders, type Reader } from '../reader.ts';
import { createIdentity } from '../span-identity.ts';
import { type Correlation, type CorrelationMember, isCorrelation } from './correlation.ts';
import { boundedText, type CorrelationEvent, type EventPart, type GroupPart } from './event.ts';

export interface ExtractCounters {
  /** Matches without a group key, by correlation. */
  readonly withoutKey: number[];
  /** Groups and values beyond what one span may bring. */
  droppedGroups: number;
  droppedValues: number;
}

/**
 * Turns the current span into an event with everything correlations need of it, because its batch will be gone. Undefined
 * when no correlation can use it.
 */
export type Extract = (cursor: Cursor, matched: readonly Rule[]) => CorrelationEvent | undefined;

export function createExtract(
  correlations: readonly Correlation[],
  fields: FieldTable,
  counters: ExtractCounters,
): Extract {
  const { readerOf } = createReaders(fields);
  const identityOf = createIdentity(fields);
  const extractions = correlations.map((correlation) => createPart(correlation, readerOf, counters));
  const usedBy = new Map<Rule, number[]>();
  for (const [index, { members }] of correlations.entries()) {
    for (const { source } of members) {
      if (isCorrelation(source)) continue;
      const users = usedBy.get(source) ?? [];
      usedBy.set(source, users);
      if (users.at(-1) !== index) users.push(index);
    }
  }
  return (cursor, matched) => {
    const parts: EventPart[] = [];
    for (const correlation of usersOf(matched, usedBy)) {
      const groups = extractions[correlation]!(cursor, matched);
      if (groups === undefined) counters.withoutKey[correlation]!++;
      else if (groups.length > 0) parts.push({ correlation, groups });
    }
    if (parts.length === 0) return undefined;
    const span = identityOf(cursor);
    return { timeNanos: span.endNanos, startNanos: startOf(cursor), span, parts };
  };
}

/** The correlations that wait for one of the rules, ascending. */
function usersOf(matched: readonly Rule[], usedBy: ReadonlyMap<Rule, readonly number[]>): readonly number[] {
  if (matched.length === 1) return usedBy.get(matched[0]!) ?? [];
  const users: number[] = [];
  for (const rule of matched) {
    for (const user of usedBy.get(rule) ?? []) if (!users.includes(user)) users.push(user);
  }
  return users.sort((a, b) => a - b);
}

/** Listed rules whose matches are grouped and measured by the same fields. */
interface Reading {
  readonly rules: Rule[];
  readonly bits: number[];
  readonly groupReaders: readonly Reader[];
  readonly valueReaders: readonly Reader[];
}

type ReaderOf = (field: string) => Reader;

/** The groups a span belongs to; undefined when it has no group key. */
function createPart(
  { syntax, members }: Correlation,
  readerOf: ReaderOf,
  counters: ExtractCounters,
): (cursor: Cursor, matched: readonly Rule[]) => GroupPart[] | undefined {
  const numeric = (syntax.type.startsWith('value_') && syntax.type !== 'value_count') || syntax.type === 'rate_anomaly';
  const timed = syntax.type === 'flow';
  const readings = readingsOf(members, readerOf);
  return (cursor, matched) => {
    const parts = new Map<string, { texts: readonly string[]; members: number; values: (string | number)[] }>();
    let keyed = false;
    for (const { rules, bits, groupReaders, valueReaders } of readings) {
      let hits = 0;
      for (const [index, rule] of rules.entries()) if (matched.includes(rule)) hits |= bits[index]!;
      if (hits === 0) continue;
      const groups = tuplesOf(groupReaders, cursor, limits.correlationGroupsPerEventMax);
      counters.droppedGroups += groups.dropped;
      keyed ||= groups.tuples.length > 0;
      const values = timed
        ? itemsOf(valueReaders, cursor)
        : numeric && valueReaders.length > 0
          ? numbersOf(valueReaders[0]!, cursor)
          : valuesOf(valueReaders, cursor, limits.correlationValuesPerEventMax);
      counters.droppedValues += values.dropped;
      if (valueReaders.length > 0 && values.list.length === 0) continue;
      const start = timed ? { startNanos: startOf(cursor) } : undefined;
      if (readings.length === 1 && groups.tuples.length === 1) {
        // What most spans are: in one group, by one reading, so that there is nothing to join.
        const list = numeric || values.list.length < 2 ? values.list : [...new Set(values.list)];
        return [{ texts: groups.tuples[0]!, members: hits, values: list, ...start }];
      }
      for (const texts of groups.tuples) {
        const key = JSON.stringify(texts);
        const part = parts.get(key) ?? { texts, members: 0, values: [], ...start };
        parts.set(key, part);
        part.members |= hits;
        for (const value of values.list) if (numeric || !part.values.includes(value)) part.values.push(value);
      }
    }
    return keyed ? [...parts.values()] : undefined;
  };
}

function readingsOf(members: readonly CorrelationMember[], readerOf: ReaderOf): readonly Reading[] {
  const readings = new Map<string, Reading>();
  for (const [index, { source, groupFields, valueFields }] of members.entries()) {
    if (isCorrelation(source)) continue;
    const key = JSON.stringify([groupFields, valueFields]);
    const [groupReaders, valueReaders] = [groupFields.map(readerOf), valueFields.map(readerOf)];
    const reading = readings.get(key) ?? { rules: [], bits: [], groupReaders, valueReaders };
    readings.set(key, reading);
    reading.rules.push(source);
    reading.bits.push(1 << index);
  }
  return [...readings.values()];
}

interface Tuples {
  readonly tuples: readonly (readonly string[])[];
  readonly dropped: number;
}

/** Every combination of the readers' members, at most `max`; none when a field is absent or null. */
function tuplesOf(readers: readonly Reader[], cursor: Cursor, max: number): Tuples {
  const only = onlyTuple(readers, cursor);
  if (only) return { tuples: [only], dropped: 0 };
  let tuples: readonly (readonly string[])[] = [[]];
  let dropped = 0;
  for (const reader of readers) {
    const members = reader.read(cursor)?.filter(({ value }) => value !== null) ?? [];
    const texts = [...new Set(members.map((member) => boundedText(member.text)))];
    const wanted = tuples.length * texts.length;
    const kept = texts.slice(0, Math.max(1, Math.floor(max / Math.max(1, tuples.length))));
    tuples = tuples.flatMap((tuple) => kept.map((text) => [...tuple, text]));
    dropped += wanted - tuples.length;
  }
  return { tuples, dropped };
}

/** The one combination of readers that have one member each, as nearly all have. */
function onlyTuple(readers: readonly Reader[], cursor: Cursor): readonly string[] | undefined {
  const texts: string[] = [];
  for (const reader of readers) {
    const members = reader.read(cursor);
    if (members?.length !== 1 || members[0]!.value === null) return undefined;
    texts.push(boundedText(members[0]!.text));
  }
  return texts;
}

interface Values {
  readonly list: readonly (string | number)[];
  readonly dropped: number;
}

/** Distinct values; of several fields the distinct tuples. */
function valuesOf(readers: readonly Reader[], cursor: Cursor, max: number): Values {
  if (readers.length === 0) return { list: [], dropped: 0 };
  const { tuples, dropped } = tuplesOf(readers, cursor, max);
  return { list: readers.length === 1 ? tuples.map(([text]) => text!) : tuples.map((t) => JSON.stringify(t)), dropped };
}

/** The items of all fields together. */
function itemsOf(readers: readonly Reader[], cursor: Cursor): Values {
  const items = readers.flatMap((reader) => reader.read(cursor)?.map(({ text }) => text) ?? []);
  const list = items.slice(0, limits.flowValuesPerEventMax);
  return { list, dropped: items.length - list.length };
}

function startOf({ events, span }: Cursor): bigint {
  const start = events.batch.spans[span * Span.stride + Span.start]!;
  return start < 0 ? 0n : events.batch.nanos(start);
}

/** The numbers among the members; what is no number is ignored. */
function numbersOf(reader: Reader, cursor: Cursor): Values {
  const members = reader.read(cursor) ?? [];
  const numbers = members.map(({ value }) => Number(numericOf(value) ?? Number.NaN)).filter(Number.isFinite);
  const list = numbers.slice(0, limits.correlationValuesPerEventMax);
  return { list, dropped: numbers.length - list.length };
}
