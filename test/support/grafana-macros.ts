/**
 * Turns a query as a dashboard holds it into the SQL that reaches ClickHouse, in the steps and with the semantics of
 * Grafana and its ClickHouse data source (4.12 and newer). Frontend: `$__conditionalAll`, then variables, then
 * `$__adHocFilters`. Backend: the time macros, outside of comments and quoted text.
 * https://github.com/grafana/clickhouse-datasource/blob/main/pkg/macros/macros.go
 * https://github.com/grafana/scenes/blob/main/packages/scenes/src/variables/interpolation/formatRegistry.ts
 */
export interface MacroContext {
  readonly from: Date;
  readonly to: Date;
  /** Width of a bar in milliseconds; the macro has at least one second. */
  readonly intervalMs: number;
  /** Current values; `$__all` for All. */
  readonly variables: Readonly<Record<string, string | readonly string[]>>;
  readonly adHocFilters?: readonly AdHocFilter[];
}

export interface AdHocFilter {
  readonly key: string;
  readonly operator: '=' | '!=' | '<' | '>' | '=~' | '!~';
  readonly value: string;
}

/** Throws for a macro or a format that is not modelled here, and for a variable without a value. */
export function expandQuery(sql: string, context: MacroContext): string {
  return expandTimeMacros(expandAdHoc(interpolate(expandConditionalAll(sql, context), context), context), context);
}

type Value = string | readonly string[];

/** A condition falls away when its variable is empty or All. Brackets and commas are counted whatever they stand in. */
function expandConditionalAll(sql: string, { variables }: MacroContext): string {
  const macro = '$__conditionalAll';
  let out = sql;
  for (let at = out.lastIndexOf(macro); at !== -1; at = out.lastIndexOf(macro)) {
    const call = argumentsAt(out, at + macro.length);
    if (call?.values.length !== 2) throw new Error(`${macro} takes a condition and a variable`);
    const [condition = '', variable = ''] = call.values;
    const name = /\$\{?(\w+)/.exec(variable)?.[1];
    const value = name === undefined ? undefined : variables[name];
    const phrase = value !== undefined && ['', '$__all'].includes(value.toString()) ? '1=1' : condition;
    out = out.slice(0, at) + phrase + out.slice(call.end);
  }
  return out;
}

/** `${name:format}`, `${name}` and `$name` of known variables; other names stay for the backend. */
function interpolate(sql: string, { variables }: MacroContext): string {
  return sql.replace(/\$\{(\w+)(?::(\w+))?\}|\$(\w+)/g, (whole, braced?: string, format?: string, plain?: string) => {
    const value = variables[braced ?? plain ?? ''];
    if (value === undefined) {
      if (braced !== undefined) throw new Error(`${whole}: the variable has no value`);
      return whole;
    }
    return formatVariable(value, format);
  });
}

/** Grafana's formats of a variable that dashboards may use in SQL, and the one that looks safe and is not. */
export function formatVariable(value: Value, format?: string): string {
  const values = typeof value === 'string' ? [value] : value;
  switch (format) {
    case 'percentencode':
      return encodeStrictly(typeof value === 'string' ? value : `{${value.join(',')}}`);
    case 'sqlstring':
      return values.map((each) => `'${each.replaceAll("'", "''").replaceAll('"', '\\"')}'`).join(',');
    case 'singlequote':
      return values.map((each) => `'${each.replaceAll("'", "\\'")}'`).join(',');
    case undefined:
      return typeof value === 'string' ? value : `'${value.join("','")}'`;
    default:
      throw new Error(`the format ${format} is not modelled`);
  }
}

function encodeStrictly(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);
}

function expandAdHoc(sql: string, { adHocFilters = [] }: MacroContext): string {
  const operators: Readonly<Record<string, string>> = { '=~': 'REGEXP', '!~': 'NOT REGEXP' };
  // The value stands in a literal inside of another literal.
  const quoted = (text: string) => `\\'${text.replaceAll('\\', '\\\\\\\\').replaceAll("'", "\\\\\\'")}\\'`;
  const filter = adHocFilters
    .map(({ key, operator, value }) => ` ${key} ${operators[operator] ?? operator} ${quoted(value)} `)
    .join('AND');
  return sql.replace(/\$__adHocFilters\s*\(([^)]+)\)/g, (_, tables: string) => {
    const names = [...tables.matchAll(/['"]([^'"]+)['"]/g)].map(([, name]) => name ?? '');
    return `additional_table_filters={${filter === '' ? '' : names.map((name) => `'${name}': '${filter}'`).join(', ')}}`;
  });
}

function expandTimeMacros(sql: string, context: MacroContext): string {
  let out = '';
  for (const { text, quoted } of pieces(sql)) out += quoted ? text : expandPiece(text, context);
  return out;
}

function expandPiece(text: string, context: MacroContext): string {
  let out = text;
  for (let at = out.indexOf('$__'); at !== -1; at = out.indexOf('$__', at)) {
    const name = /^\w+/.exec(out.slice(at + 3))?.[0] ?? '';
    const call = argumentsAt(out, at + 3 + name.length);
    const macro = timeMacros[name];
    if (macro === undefined) throw new Error(`$__${name} is not modelled`);
    const replaced = macro(
      (call?.values ?? []).map((value) => value.trim()),
      context,
    );
    out = out.slice(0, at) + replaced + out.slice(call?.end ?? at + 3 + name.length);
    at += replaced.length;
  }
  return out;
}

type Macro = (values: readonly string[], context: MacroContext) => string;

const seconds = (time: Date) => `toDateTime(${Math.floor(time.getTime() / 1000)})`;
const milliseconds = (time: Date) => `fromUnixTimestamp64Milli(${time.getTime()})`;

const timeMacros: Readonly<Record<string, Macro>> = {
  timeFilter: ([column], { from, to }) => `${column} >= ${seconds(from)} AND ${column} <= ${seconds(to)}`,
  timeFilter_ms: ([column], { from, to }) => `${column} >= ${milliseconds(from)} AND ${column} <= ${milliseconds(to)}`,
  timeInterval: ([column], { intervalMs }) =>
    `toStartOfInterval(toDateTime(${column}), INTERVAL ${Math.max(1, Math.floor(intervalMs / 1000))} second)`,
  fromTime: (_, { from }) => seconds(from),
  toTime: (_, { to }) => seconds(to),
  fromTime_ms: (_, { from }) => milliseconds(from),
  toTime_ms: (_, { to }) => milliseconds(to),
  interval_s: (_, { intervalMs }) => String(Math.max(1, Math.floor(intervalMs / 1000))),
};

/** The arguments of a call whose opening bracket stands at `open`, and where the call ends. */
function argumentsAt(text: string, open: number): { values: string[]; end: number } | undefined {
  if (text[open] !== '(') return undefined;
  const values: string[] = [];
  let depth = 0;
  let start = open + 1;
  for (let at = open; at < text.length; at++) {
    const character = text[at];
    if (character === '(') depth++;
    if (character === ')') depth--;
    if ((character === ',' && depth === 1) || depth === 0) {
      values.push(text.slice(start, at));
      start = at + 1;
    }
    if (depth === 0) return { values, end: at + 1 };
  }
  throw new Error(`a bracket is not closed: ${text.slice(open, open + 80)}`);
}

/** Text in quotes or comments, and the SQL between. */
function* pieces(sql: string): Generator<{ text: string; quoted: boolean }> {
  const quotedText =
    /'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S])*"|`(?:[^`\\]|\\[\s\S])*`|--[^\n]*|\/\*[\s\S]*?\*\//g;
  let at = 0;
  for (const match of sql.matchAll(quotedText)) {
    yield { text: sql.slice(at, match.index), quoted: false };
    yield { text: match[0], quoted: true };
    at = match.index + match[0].length;
  }
  yield { text: sql.slice(at), quoted: false };
}
