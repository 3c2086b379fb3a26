import { skipOf } from './row-splitter.ts';

/** Where a row stands in RowBinary bytes. */
export interface RowRange {
  readonly bytes: Buffer;
  readonly start: number;
}

export interface RowValue {
  /** A literal that is equal to the value; bytes that are no text as well. */
  readonly sql: string;
  /** Of times and days: the days since 1970. */
  readonly dayNumber: number;
}

const nanosPerDay = 86_400_000_000_000n;

/**
 * Values of columns of a row that `rowEnds` could read. Throws a TypeError for a column of another type than the keys of our tables have.
 *
 * @param names names of the row's columns, in order
 * @param types their types, as ClickHouse writes them
 */
export function valuesOf(
  { bytes, start }: RowRange,
  names: readonly string[],
  types: readonly string[],
): (name: string) => RowValue {
  return (name) => {
    const index = names.indexOf(name);
    let offset = start;
    for (const type of types.slice(0, index)) offset = skipOf(type)!(bytes, offset);
    const type = types[index] ?? '';
    return literalOf(bytes.subarray(offset, skipOf(type)?.(bytes, offset)), plainOf(type));
  };
}

/** Whether values of a type can be written as literals. */
export function isWritable(type: string): boolean {
  const plain = plainOf(type);
  return plain.startsWith('DateTime64(9') || ['Date', 'UInt64', 'String'].includes(plain);
}

function plainOf(type: string): string {
  return type.replace(/^LowCardinality\((.*)\)$/, '$1');
}

function literalOf(value: Buffer, type: string): RowValue {
  if (type.startsWith('DateTime64(9')) {
    const nanos = value.readBigInt64LE();
    return { sql: `fromUnixTimestamp64Nano(${nanos})`, dayNumber: Number(nanos / nanosPerDay) };
  }
  switch (type) {
    case 'Date': {
      const days = value.readUInt16LE();
      return { sql: `toDate(${days})`, dayNumber: days };
    }
    case 'UInt64':
      return { sql: `toUInt64('${value.readBigUInt64LE()}')`, dayNumber: 0 };
    case 'String':
      return { sql: `unhex('${textOf(value).toString('hex')}')`, dayNumber: 0 };
    default:
      throw new TypeError(`no literal for a value of the type ${type}`);
  }
}

/** Without the length in front. */
function textOf(value: Buffer): Buffer {
  let head = 0;
  while (value[head]! >= 0x80) head++;
  return value.subarray(head + 1);
}
