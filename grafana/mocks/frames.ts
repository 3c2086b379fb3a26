/** What a column holds: times are milliseconds since 1970, anything that is none of the first three is as JSON told it. */
export type ColumnKind = 'time' | 'number' | 'text' | 'other';

export interface Column {
  readonly name: string;
  readonly kind: ColumnKind;
  readonly values: readonly unknown[];
}

/** The result of one query. Columns of one frame are equally long. */
export interface Frame {
  readonly refId: string;
  readonly columns: readonly Column[];
}

export interface Answer {
  readonly meta: readonly { readonly name: string; readonly type: string }[];
  readonly data: readonly (readonly unknown[])[];
}

/** @param answer ClickHouse's JSONCompact, from a server whose timezone is UTC. */
export function frameOf(refId: string, { meta, data }: Answer): Frame {
  const columns = meta.map(({ name, type }, index): Column => {
    const kind = kindOf(type);
    return { name, kind, values: data.map((row) => typedValue(kind, row[index])) };
  });
  return { refId, columns };
}

export function rowsOf(frame: Frame): number {
  return frame.columns[0]?.values.length ?? 0;
}

/**
 * A frame of format time series as Grafana draws it: texts beside time and numbers become the name of a series, one for
 * each of their values.
 */
export function timeSeriesOf(frame: Frame): Frame {
  const time = frame.columns.find(({ kind }) => kind === 'time');
  const labels = frame.columns.filter(({ kind }) => kind === 'text');
  const numbers = frame.columns.filter(({ kind }) => kind === 'number');
  if (time === undefined || labels.length === 0) return frame;
  const moments = [...new Set(time.values as number[])].sort((a, b) => a - b);
  const place = new Map(moments.map((moment, index) => [moment, index]));
  const series = new Map<string, unknown[]>();
  for (let row = 0; row < rowsOf(frame); row += 1) {
    const label = labels.map(({ values }) => String(values[row] ?? '')).join(' ');
    for (const { name, values } of numbers) {
      const key = numbers.length === 1 ? label : `${name} ${label}`;
      const points = series.get(key) ?? new Array<unknown>(moments.length).fill(null);
      points[place.get(time.values[row] as number) ?? 0] = values[row];
      series.set(key, points);
    }
  }
  const columns = [...series].map(([name, values]): Column => ({ name, kind: 'number', values }));
  return { refId: frame.refId, columns: [{ ...time, values: moments }, ...columns] };
}

function kindOf(type: string): ColumnKind {
  const inner = /^(?:Nullable|LowCardinality|SimpleAggregateFunction)\((?:\w+, )?(.*)\)$/.exec(type)?.[1];
  if (inner !== undefined) return kindOf(inner);
  if (/^Date/.test(type)) return 'time';
  if (/^(U?Int|Float|Decimal|BFloat)/.test(type)) return 'number';
  if (/^(String|FixedString|Enum|UUID|IPv|Bool)/.test(type)) return 'text';
  return 'other';
}

function typedValue(kind: ColumnKind, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (kind === 'number') return Number(value);
  if (kind === 'text') return String(value);
  if (kind !== 'time') return value;
  const text = String(value);
  return Date.parse(text.length === 10 ? `${text}T00:00:00Z` : `${text.replace(' ', 'T')}Z`);
}
