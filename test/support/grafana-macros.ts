import { expandMacros } from './grafana-backend.ts';

/**
 * Turns a query as a dashboard holds it into the SQL that reaches ClickHouse, in the steps and with the semantics of
 * Grafana and its ClickHouse data source. Its pages: `$__conditionalAll`, then variables, then `$__adHocFilters`; then
 * its backend's macros. What the data source's own code made of some queries stands in `fixtures/grafana-plugin`, and a
 * test holds this to it.
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
  readonly operator: '=' | '!=' | '<' | '>' | '=~' | '!~' | '=|' | '!=|';
  readonly value: string;
  /** With the last two operators, in place of `value`. */
  readonly values?: readonly string[];
}

/** Throws for a macro with the wrong number of arguments, a format that is not modelled, a variable without a value. */
export function expandQuery(sql: string, context: MacroContext): string {
  return expandMacros(fillIn(sql, context), context);
}

/** What Grafana's pages do: conditions on All, variables, ad hoc filters. */
export function fillIn(sql: string, context: MacroContext): string {
  return expandAdHoc(interpolate(expandConditionalAll(sql, context), context), context);
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

/** The filter stands in a literal, so that its own literals are escaped twice. */
function expandAdHoc(sql: string, { adHocFilters = [] }: MacroContext): string {
  const filter = adHocFilters
    .map((each) => ` ${filterKey(each.key)} ${operators[each.operator] ?? each.operator} ${filterValue(each)} `)
    .join('AND');
  return sql.replace(/\$__adHocFilters\s*\(([^)]+)\)/g, (_, tables: string) => {
    const names = [...tables.matchAll(/['"]([^'"]+)['"]/g)].map(([, name]) => name ?? '');
    return `additional_table_filters={${filter === '' ? '' : names.map((name) => `'${name}': '${filter}'`).join(', ')}}`;
  });
}

const operators: Readonly<Record<string, string>> = {
  '=~': 'REGEXP',
  '!~': 'NOT REGEXP',
  '=|': 'IN',
  '!=|': 'NOT IN',
};

function filterValue({ operator, value, values = [] }: AdHocFilter): string {
  return operator.endsWith('|') ? `(${values.map(innerLiteral).join(', ')})` : innerLiteral(value);
}

/** A column, with its table before it or not, or a key of a map; anything else becomes an identifier that no table has. */
function filterKey(key: string): string {
  const [, column = '', mapKey = ''] = /^(?:[^.[\]']+\.)?([^.[\]']+)\['((?:[^'\\]|\\.)*)'\]$/.exec(key) ?? [];
  if (column !== '') return `${column}[${innerLiteral(mapKey)}]`;
  const name = key.includes('.') ? key.slice(key.indexOf('.') + 1) : key;
  if (/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/.test(name)) return name;
  const quoted = `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
  return quoted.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
}

function innerLiteral(text: string): string {
  return `\\'${text.replaceAll('\\', '\\\\\\\\').replaceAll("'", "\\\\\\'")}\\'`;
}

/** The arguments of a call whose opening bracket stands at `open`, and where the call ends; quotes are nothing special. */
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
