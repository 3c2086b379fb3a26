import type { SchemaElement } from 'hyparquet-writer';
import { jsonText } from '../formats/text.ts';

/**
 * What stands in a column. Leaves are named as Athena names them, but `json`, which is a text that is JSON, and `map`, from texts to texts.
 * Everything may be null.
 */
export type Shape =
  | 'string'
  | 'int'
  | 'bigint'
  | 'boolean'
  | 'json'
  | 'map'
  | { readonly struct: Shapes }
  | { readonly list: Shape };

/** Columns, or members of a struct, by name. */
export type Shapes = Readonly<Record<string, Shape>>;

/** The schema of a file with these columns. https://github.com/apache/parquet-format/blob/master/LogicalTypes.md */
export function schemaOf(shapes: Shapes): SchemaElement[] {
  return [{ name: 'root', num_children: Object.keys(shapes).length }, ...membersOf(shapes)];
}

function membersOf(shapes: Shapes): SchemaElement[] {
  return Object.entries(shapes).flatMap(([name, shape]) => elementsOf(name, shape));
}

function elementsOf(name: string, shape: Shape): SchemaElement[] {
  const optional = { name, repetition_type: 'OPTIONAL' } as const;
  const repeated = (of: string, children: number) =>
    ({ name: of, repetition_type: 'REPEATED', num_children: children }) as const;
  if (shape === 'map') {
    return [
      { ...optional, num_children: 1, converted_type: 'MAP' },
      repeated('key_value', 2),
      { name: 'key', repetition_type: 'REQUIRED', ...leaves.string },
      ...elementsOf('value', 'string'),
    ];
  }
  if (typeof shape === 'string') return [{ ...optional, ...leaves[shape] }];
  if ('struct' in shape) {
    return [{ ...optional, num_children: Object.keys(shape.struct).length }, ...membersOf(shape.struct)];
  }
  return [
    { ...optional, num_children: 1, converted_type: 'LIST' },
    repeated('list', 1),
    ...elementsOf('element', shape.list),
  ];
}

const leaves = {
  string: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  json: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  int: { type: 'INT32' },
  bigint: { type: 'INT64' },
  boolean: { type: 'BOOLEAN' },
} as const;

/** A value of JSON as a column of this shape holds it. What does not fit its shape is null: nothing that is written may stop a batch. */
export function cellOf(shape: Shape, value: unknown): unknown {
  if (value === undefined || value === null) return null;
  switch (shape) {
    case 'string':
      return typeof value === 'string' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'int':
      return Number.isInteger(value) && value === ((value as number) | 0) ? value : null;
    case 'bigint':
      return Number.isInteger(value) && Math.abs(value as number) < 2 ** 63 ? BigInt(value as number) : null;
    case 'json':
      return jsonText(value);
    case 'map':
      return entriesOf(value);
  }
  if ('list' in shape) return Array.isArray(value) ? value.map((item) => cellOf(shape.list, item)) : null;
  return rowOf(shape.struct, value);
}

/** An object of JSON as a row, or a struct, of these columns. */
export function rowOf(shapes: Shapes, value: unknown): Record<string, unknown> | null {
  if (typeof value !== 'object' || value === null) return null;
  const members = value as Readonly<Record<string, unknown>>;
  return Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, cellOf(shape, members[name])]));
}

/** Members of an object as texts: what is none is JSON, and members of an object in it have their names behind a dot. */
function entriesOf(value: unknown, prefix = ''): { key: string; value: string }[] | null {
  if (typeof value !== 'object' || value === null) return null;
  return Object.entries(value).flatMap(([name, member]: [string, unknown]) => {
    const key = prefix + name;
    if (typeof member === 'string') return [{ key, value: member }];
    if (typeof member !== 'object' || Array.isArray(member)) return [{ key, value: jsonText(member) }];
    return entriesOf(member, `${key}.`) ?? [];
  });
}
