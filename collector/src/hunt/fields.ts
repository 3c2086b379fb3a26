import { ancestryField } from '../detect/ancestry/fields.ts';
import { limits } from '../model/limits.ts';
import { keyedLists, listAttributes } from '../model/repeated-lists.ts';
import { storedFacts } from '../normalise/stored-facts.ts';
import { taxonomy } from '../normalise/taxonomy.ts';
import { literal } from './sql-text.ts';

/** A field of a stored span: whether the span has it, and its members that are not null as an Array(String). */
export interface FieldSql {
  readonly present: string;
  readonly members: string;
  /** True when the field, or one of its members, is null. */
  readonly isNull: string;
}

export type FieldTranslation = { readonly sql: FieldSql } | { readonly reason: string };

/** A field in SQL, or why it cannot be said there. */
export function fieldSql(name: string): FieldTranslation {
  const column = columns[name];
  if (column !== undefined) return { sql: column };
  if (name === '') return { reason: 'keywords look at every text of a span, lists and span events among them' };
  if (ancestryField(name) !== undefined) return { reason: `\`${name}\` reads another span of the trace` };
  if (storedFacts.includes(name)) return { sql: factSql(name) };
  if (name === 'service.name') return { sql: attributeSql('ResourceAttributes', name, resourceLetters) };
  if (name.startsWith('resource.'))
    return { sql: attributeSql('ResourceAttributes', name.slice('resource.'.length), resourceLetters) };
  const known = taxonomy.find((entry) => entry.name === name || (entry.open && name.startsWith(`${entry.name}.`)));
  if (name.startsWith('message.') || known?.kind === 'fact') {
    if (name === 'spanwarden.sandbox') return { sql: attributeSql('SpanAttributes', name, 'AttributeTypes') };
    return { reason: `\`${name}\` is worked out from other attributes and not stored` };
  }
  if (known?.kind === 'span') return { reason: `\`${name}\` is not translated` };
  return { sql: attributeSql('SpanAttributes', name, 'AttributeTypes') };
}

/**
 * The table of spans that has the fields of a condition or expression: lists of messages may be stored apart, and the view that puts
 * them in their place costs more.
 */
export function tableOf(sql: string): string {
  return storedApart.test(sql) ? 'otel_traces_full' : 'otel_traces';
}

const storedApart = new RegExp(
  `'(?:${listAttributes.map(quoted).join('|')}|(?:${keyedLists.map(quoted).join('|')})(?:\\.[0-9](?:[^'\\\\]|\\\\.)*)?)'\\)`,
);

function quoted(name: string): string {
  return name.replaceAll('.', '\\.');
}

/** The letters of the resource's section of AttributeTypes. */
const resourceLetters = `splitByChar('|', splitByRegexp('[@~]', toString(AttributeTypes))[1])[2]`;

/**
 * What the query says once for all attributes, as names for expressions. Letters as in store/rows/attribute-types.ts: a list has
 * `a`, a null `e`, an attribute we added `o`. Lists in lists are flattened once: what deeper ones hold is compared as JSON.
 */
export const attributeFunctions = `(map, letters, key) -> substring(letters, indexOf(mapKeys(map), key), 1) AS letter,
(text) -> arrayFlatten(arrayMap(raw -> if(startsWith(raw, '['), JSONExtractArrayRaw(raw), [raw]), JSONExtractArrayRaw(text))) AS raws,
(map, letters, key) -> mapContains(map, key) AND letter(map, letters, key) != 'o' AS present,
(map, letters, key) -> letter(map, letters, key) = 'e' OR (letter(map, letters, key) = 'a' AND has(raws(map[key]), 'null')) AS null_in,
(map, letters, key) -> multiIf(
  NOT mapContains(map, key) OR letter(map, letters, key) IN ('e', 'o'), [],
  letter(map, letters, key) != 'a', [map[key]],
  arrayMap(raw -> if(startsWith(raw, '"'), JSONExtractString(raw), raw),
    arrayFilter(raw -> raw != 'null', arraySlice(raws(map[key]), 1, ${limits.fieldMembersMax})))) AS members`;

function attributeSql(map: string, key: string, letters: string): FieldSql {
  const call = `(${map}, ${letters}, ${literal(key)})`;
  return { present: `present${call}`, members: `members${call}`, isNull: `null_in${call}` };
}

function factSql(name: string): FieldSql {
  return {
    present: `mapContains(Facts, ${literal(name)})`,
    members: `Facts[${literal(name)}]`,
    isNull: '0',
  };
}

/** Absent when empty. */
function textColumn(column: string): FieldSql {
  return { present: `${column} != ''`, members: `[toString(${column})]`, isNull: '0' };
}

function always(column: string): FieldSql {
  return { present: '1', members: `[toString(${column})]`, isNull: '0' };
}

/** The times as sent stand behind `@` where the columns could not hold them. */
const sentTime = (index: number): string =>
  `toInt64OrZero(splitByChar(',', splitByChar('@', toString(AttributeTypes))[2])[${index}])`;
const durationMs = `if(position(AttributeTypes, '@') = 0, toInt64(Duration), ${sentTime(2)} - ${sentTime(1)}) / 1e6`;

const columns: Readonly<Record<string, FieldSql>> = Object.assign(Object.create(null), {
  'span.name': textColumn('SpanName'),
  'span.kind': always(
    "if(SpanKind IN ('Internal', 'Server', 'Client', 'Producer', 'Consumer'), toString(SpanKind), 'Unspecified')",
  ),
  'span.status_code': always("if(StatusCode IN ('Ok', 'Error'), toString(StatusCode), 'Unset')"),
  'span.status_message': textColumn('StatusMessage'),
  'span.scope_name': textColumn('ScopeName'),
  'span.duration_ms': {
    present: "NOT match(AttributeTypes, '@(?:,|[0-9]+,$)')",
    members: `[toString(${durationMs})]`,
    isNull: '0',
  },
  trace_id: textColumn('TraceId'),
  span_id: textColumn('SpanId'),
  parent_span_id: textColumn('ParentSpanId'),
} satisfies Record<string, FieldSql>);
