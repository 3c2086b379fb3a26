import { hostile } from '../../test/support/grafana-data.ts';
import type { AdHocFilter } from '../../test/support/grafana-macros.ts';

/** A query before Grafana fills in variables and ad hoc filters. */
export interface FilledCase {
  readonly sql: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly filters: readonly AdHocFilter[];
}

const variables = { all: '$__all', empty: '', agent: 'support-agent', hostile: hostile.agent, trace_id: hostile.tool };
const filter = (value: string, operator: AdHocFilter['operator'] = '=', key = 'AgentName'): AdHocFilter => ({
  key,
  operator,
  value,
});

const filterAny = (operator: AdHocFilter['operator'], values: readonly string[]): AdHocFilter => ({
  key: 'AgentName',
  operator,
  value: values.join(','),
  values,
});

/** What the data source's pages do: conditions on All, variables, ad hoc filters. */
export const filledCases: readonly FilledCase[] = [
  ...[
    '$__conditionalAll(f(x, 1) = ${agent}, $all)',
    '$__conditionalAll(a = 1, $empty) AND $__conditionalAll(b = (1), ${agent})',
    "$__conditionalAll(a = decodeURLComponent('${hostile:percentencode}'), $hostile)",
    'SELECT ${agent:sqlstring}, ${hostile:singlequote}, ${hostile:sqlstring}, $agent, $unknown',
    '$__conditionalAll($__conditionalAll(a = 1, $agent), $agent)',
  ].map((sql) => ({ sql, variables, filters: [] })),
  ...[
    [],
    [filter('support-agent')],
    [filter(hostile.agent), filter(hostile.tool, '!=', 'ToolName')],
    [filter('^a.*', '=~'), filter('b$', '!~')],
    [filter("it's \\ -- /* */ $__toTime")],
    [filter('1', '>', 'findings.Severity'), filter('5', '<', 'Severity')],
    [filter('x', '=', "AgentName = 'x' OR 1=1 -- ")],
    [filter('GET', '=', "LogAttributes['http.method']")],
    [filterAny('=|', ['a', "b'c", 'd, e'])],
    [filterAny('!=|', ['a'])],
  ].map((filters) => ({ sql: "SELECT 1 SETTINGS $__adHocFilters('findings', 'otel_traces')", variables, filters })),
];

/** What its backend does: macros outside and inside of quotes and comments, right and wrong. */
export const macroCases: readonly string[] = [
  '$__timeFilter(t) $__timeFilter_ms(Timestamp) $__fromTime $__toTime $__fromTime_ms $__toTime_ms',
  '$__timeInterval(t) $__timeInterval_ms(t) $__interval_s $__interval $__interval_ms',
  "$__timeGroup(t, '5m') $__timeFrom(t) $__timeTo(t) $__dateFilter(d) $__dateTimeFilter(d, t) $__dt(d, t)",
  '$__timeFilter( f(a, b) ) $__timeFilter_ms(t.x) $__timeInterval($__fromTime)',
  'SELECT \'$__toTime\' AS a, "$__toTime", `$__toTime`',
  'SELECT 1 -- $__toTime\n, $__interval_s /* $__fromTime */ FROM t',
  "SELECT 'a -- b' , $__interval_s -- '",
  "SELECT '\\' -- ', $__interval_s",
  "SELECT 'it''s -- ', $__interval_s",
  'SELECT `a -- b`, $__interval_s',
  'SELECT $__unknown($__interval_s), $__timeFilterX(t), $__ , $$__interval_s',
  'SELECT $__timeFilter()',
  'SELECT $__timeFilter(a, b)',
  'SELECT $__timeFilter(a',
  "SETTINGS additional_table_filters={'findings': ' a = \\'$__toTime -- /* \\' '}",
  "SETTINGS additional_table_filters={'findings': ' a = \\'x\\\\\\'$__timeFilter(t)\\' '}",
  "SETTINGS additional_table_filters={'findings': ' a IN (\\'$__toTime(\\\\\\'\\') AND b = \\') OR 1=1 -- \\' '}",
  "WITH decodeURLComponent('%24__toTime%27%20--') AS x SELECT $__timeFilter_ms(Timestamp)",
  "SELECT $a$ -- $__toTime $a$, 'unclosed $__toTime",
];

const numbers = [
  'UInt8',
  'UInt16',
  'UInt32',
  'UInt64',
  'Int8',
  'Int16',
  'Int32',
  'Int64',
  'Float32',
  'Float64',
  'Bool',
];
const times = ['Date', 'Date32', 'DateTime', 'DateTime64(9)'];
const plainTypes = [...numbers, ...times, 'String'];

/** Types that columns of results have, for what its backend makes of each. Precisions and functions are examples. */
export const typeCases: readonly string[] = [
  ...plainTypes,
  ...plainTypes.map((type) => `Nullable(${type})`),
  ...plainTypes.map((type) => `SimpleAggregateFunction(max, ${type})`),
  ...plainTypes.map((type) => `Nullable(SimpleAggregateFunction(max, ${type}))`),
  'LowCardinality(String)',
  'LowCardinality(Nullable(String))',
  "Enum8('a' = 1)",
  'FixedString(4)',
  'UUID',
  'Decimal(9, 2)',
  'Array(String)',
  'Map(String, String)',
  'Tuple(String, UInt8)',
];
