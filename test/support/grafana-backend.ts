/** The time range and the width of a bar that macros tell. */
export interface MacroRange {
  readonly from: Date;
  readonly to: Date;
  /** In milliseconds; some macros have at least one second. */
  readonly intervalMs: number;
}

/**
 * What the data source's backend does to a query: comments become blanks, then macros are expanded, those inside of
 * quotes too, arguments before what they stand in. Unknown names stay. Throws for the wrong number of arguments.
 * https://github.com/grafana/clickhouse-datasource/blob/main/pkg/macros/macros.go
 * https://github.com/grafana/macropro
 */
export function expandMacros(sql: string, range: MacroRange): string {
  return sql.includes('$__') ? expand(withoutComments(sql), range) : sql;
}

/** Names of the macros that the data source's backend knows, without `$__`. */
export const backendMacros = (): readonly string[] => Object.keys(macros);

type Macro = (values: readonly string[], range: MacroRange) => string;

const seconds = (time: Date) => `toDateTime(${Math.floor(time.getTime() / 1000)})`;
const milliseconds = (time: Date) => `fromUnixTimestamp64Milli(${time.getTime()})`;
const day = (time: Date) => `toDate('${time.toISOString().slice(0, 10)}')`;
const between = (column: string, { from, to }: MacroRange, as: (time: Date) => string) =>
  `${column} >= ${as(from)} AND ${column} <= ${as(to)}`;
const wholeSeconds = ({ intervalMs }: MacroRange) => Math.max(1, Math.floor(intervalMs / 1000));

const macros: Readonly<Record<string, Macro>> = {
  timeFilter: takes(1, ([column = ''], range) => between(column, range, seconds)),
  timeFilter_ms: takes(1, ([column = ''], range) => between(column, range, milliseconds)),
  dateFilter: takes(1, ([column = ''], range) => between(column, range, day)),
  dateTimeFilter: takes(2, dateAndTime),
  dt: takes(2, dateAndTime),
  timeFrom: takes(1, ([column], { from }) => `${column} >= ${seconds(from)}`),
  timeTo: takes(1, ([column], { to }) => `${column} <= ${seconds(to)}`),
  timeInterval: takes(1, ([time], range) => bucket(`toDateTime(${time})`, `${wholeSeconds(range)} second`)),
  timeInterval_ms: takes(1, ([time], { intervalMs }) =>
    bucket(`toDateTime64(${time}, 3)`, `${intervalMs} millisecond`),
  ),
  timeGroup: takes(2, ([time, period = '']) => bucket(`toDateTime(${time})`, `${secondsOf(period)} second`)),
  fromTime: (_, { from }) => seconds(from),
  toTime: (_, { to }) => seconds(to),
  fromTime_ms: (_, { from }) => milliseconds(from),
  toTime_ms: (_, { to }) => milliseconds(to),
  interval: (_, { intervalMs }) => (intervalMs % 1000 === 0 ? `${intervalMs / 1000}s` : `${intervalMs}ms`),
  interval_ms: (_, { intervalMs }) => String(intervalMs),
  interval_s: (_, range) => String(wholeSeconds(range)),
};

function takes(count: number, macro: Macro): Macro {
  return (values, range) => {
    if (values.length !== count) throw new Error(`a macro takes ${count} arguments and was given ${values.length}`);
    return macro(values, range);
  };
}

function dateAndTime([date = '', time = '']: readonly string[], range: MacroRange): string {
  return `(${between(date, range, day)}) AND (${between(time, range, seconds)})`;
}

function bucket(time: string, width: string): string {
  return `toStartOfInterval(${time}, INTERVAL ${width})`;
}

function secondsOf(period: string): number {
  const [, count = '', unit = ''] = /^(\d+)([smh])$/.exec(period.replaceAll(/^['"]|['"]$/g, '')) ?? [];
  const factor = { s: 1, m: 60, h: 3600 }[unit];
  if (factor === undefined) throw new Error(`${period} is no interval`);
  return Number(count) * factor;
}

function expand(text: string, range: MacroRange): string {
  let out = '';
  let at = 0;
  for (let next = text.indexOf('$__'); next !== -1; next = text.indexOf('$__', at)) {
    out += text.slice(at, next);
    const name = /^\w*/.exec(text.slice(next + 3))?.[0] ?? '';
    const end = next + 3 + name.length;
    const macro = Object.hasOwn(macros, name) ? macros[name] : undefined;
    const close = macro !== undefined && text[end] === '(' ? closingBracket(text, end) : -1;
    const values = close === -1 ? [] : argumentsOf(text.slice(end + 1, close)).map((value) => expand(value, range));
    out += macro === undefined ? text.slice(next, end) : macro(values, range);
    at = close === -1 ? end : close + 1;
  }
  return out + text.slice(at);
}

/** Where the bracket that opens at `open` closes; -1 when it does not. Quotes end without regard to backslashes. */
function closingBracket(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (character === "'" || character === '"') at = quoteEnd(text, at, false) - 1;
    else if (character === '(') depth += 1;
    else if (character === ')' && --depth === 0) return at;
  }
  return -1;
}

function argumentsOf(raw: string): string[] {
  if (raw.trim() === '') return [];
  const values: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < raw.length; at += 1) {
    const character = raw[at] ?? '';
    if (character === "'" || character === '"') at = quoteEnd(raw, at, false) - 1;
    else if (character === '(') depth += 1;
    else if (character === ')') depth -= 1;
    else if (character === ',' && depth === 0) {
      values.push(raw.slice(start, at).trim());
      start = at + 1;
    }
  }
  return [...values, raw.slice(start).trim()];
}

/** Blanks in place of `--` and block comments, outside of quotes, backticks and `$tag$`. */
function withoutComments(sql: string): string {
  let out = '';
  for (let at = 0; at < sql.length; ) {
    const end = pieceEnd(sql, at);
    const isComment = /^(--|\/\*)/.test(sql.slice(at, at + 2));
    out += isComment ? ' '.repeat(end - at) : sql.slice(at, end);
    at = end;
  }
  return out;
}

function pieceEnd(sql: string, at: number): number {
  const two = sql.slice(at, at + 2);
  const character = sql[at] ?? '';
  if (character === "'" || character === '"') return quoteEnd(sql, at, true);
  if (character === '`') return quoteEnd(sql, at, false);
  if (two === '--') return at + (/^[^\n\r]*/.exec(sql.slice(at))?.[0].length ?? 0);
  if (two === '/*') return sql.includes('*/', at + 2) ? sql.indexOf('*/', at + 2) + 2 : sql.length;
  const tag = character === '$' ? /^\$\w*\$/.exec(sql.slice(at))?.[0] : undefined;
  const close = tag === undefined ? -1 : sql.indexOf(tag, at + tag.length);
  return tag === undefined || close === -1 ? at + 1 : close + tag.length;
}

/** After the quote that closes the one at `open`. A doubled quote is text, and after a backslash any character if asked. */
function quoteEnd(text: string, open: number, hasBackslashes: boolean): number {
  const quote = text[open];
  for (let at = open + 1; at < text.length; at += 1) {
    if (hasBackslashes && text[at] === '\\') at += 1;
    else if (text[at] === quote && text[at + 1] === quote) at += 1;
    else if (text[at] === quote) return at + 1;
  }
  return text.length;
}
