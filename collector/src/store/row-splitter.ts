/** The end of a value that begins at an offset; -1 when the bytes end before it does. */
type Skip = (bytes: Buffer, offset: number) => number;

const fixedBytes: Readonly<Record<string, number>> = {
  Bool: 1,
  Int8: 1,
  UInt8: 1,
  Enum8: 1,
  Int16: 2,
  UInt16: 2,
  Enum16: 2,
  Date: 2,
  Int32: 4,
  UInt32: 4,
  Float32: 4,
  Date32: 4,
  DateTime: 4,
  IPv4: 4,
  Int64: 8,
  UInt64: 8,
  Float64: 8,
  DateTime64: 8,
  Int128: 16,
  UInt128: 16,
  UUID: 16,
  IPv6: 16,
};

/**
 * Where each row of RowBinary bytes ends. Fewer ends than rows when the bytes cannot be read as rows of these types from
 * some place on: what stands after the last end is no row. Undefined when one of the types is not known here.
 *
 * https://clickhouse.com/docs/interfaces/formats/RowBinary
 *
 * @param types types of the columns as ClickHouse writes them, in order.
 */
export function rowEnds(bytes: Buffer, rows: number, types: readonly string[]): number[] | undefined {
  const skips = types.map(skipOf);
  if (!isWhole(skips)) return undefined;
  const ends: number[] = [];
  let offset = 0;
  while (ends.length < rows) {
    for (const skip of skips) {
      offset = skip(bytes, offset);
      if (offset < 0) return ends;
    }
    ends.push(offset);
  }
  return ends;
}

function isWhole(skips: readonly (Skip | undefined)[]): skips is readonly Skip[] {
  return skips.every((skip) => skip !== undefined);
}

/** Undefined for a type that is not known here. */
export function skipOf(type: string): Skip | undefined {
  const open = type.indexOf('(');
  const name = open < 0 ? type : type.slice(0, open);
  const args = open < 0 ? [] : argumentsOf(type.slice(open + 1, -1));
  const width = name === 'FixedString' ? Number(args[0]) : fixedBytes[name];
  if (width !== undefined) return (bytes, offset) => (offset + width <= bytes.length ? offset + width : -1);
  switch (name) {
    case 'String':
      return skipString;
    case 'LowCardinality':
      return skipOf(args[0]!);
    case 'SimpleAggregateFunction':
      return skipOf(args[1]!);
    case 'Nullable':
      return skipNullable(skipOf(args[0]!));
    case 'Array':
      return skipMany([skipOf(args[0]!)]);
    case 'Map':
      return skipMany(args.map(skipOf));
    default:
      return undefined;
  }
}

/** `Map(LowCardinality(String), String)` has the arguments `LowCardinality(String)` and `String`. */
function argumentsOf(text: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index <= text.length; index++) {
    const character = text[index] ?? ',';
    if (character === '(') depth++;
    else if (character === ')') depth--;
    else if (character === ',' && depth === 0) {
      found.push(text.slice(start, index).trim());
      start = index + 1;
    }
  }
  return found;
}

const skipString: Skip = (bytes, offset) => {
  const { value, end } = varint(bytes, offset);
  return end < 0 || end + value > bytes.length ? -1 : end + value;
};

function skipNullable(inner: Skip | undefined): Skip | undefined {
  if (inner === undefined) return undefined;
  return (bytes, offset) => {
    if (offset >= bytes.length) return -1;
    return bytes[offset] === 1 ? offset + 1 : inner(bytes, offset + 1);
  };
}

function skipMany(each: readonly (Skip | undefined)[]): Skip | undefined {
  if (!isWhole(each)) return undefined;
  return (bytes, offset) => {
    const { value, end } = varint(bytes, offset);
    let at = end;
    for (let index = 0; index < value && at >= 0; index++) {
      for (const skip of each) {
        at = skip(bytes, at);
        if (at < 0) return -1;
      }
    }
    return at;
  };
}

/** LEB128; an end of -1 when it is cut short or longer than a length can be. */
function varint(bytes: Buffer, offset: number): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let index = 0; index < 6; index++) {
    const byte = bytes[offset + index];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { value, end: offset + index + 1 };
  }
  return { value: 0, end: -1 };
}
