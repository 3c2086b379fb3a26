import { type Correlation, isCorrelation } from '../detect/correlate/correlation.ts';
import { onlyLowerBounds, type Threshold } from '../detect/correlate/thresholds.ts';
import { attributeFunctions, fieldSql, tableOf } from './fields.ts';
import { ruleCondition } from './rule-query.ts';
import { anyOf } from './sql-text.ts';

export type CorrelationTranslation =
  | { readonly sql: string; readonly reasons: readonly string[]; readonly notes: readonly string[] }
  | { readonly refused: string };

/**
 * An event_count or value_count as a query: one row for each finding, with the group as k1, k2, …, the span that made the
 * condition true, and what was counted. Conditions with only lower bounds slide: the spans of [t − timespan, t], in event
 * order. All others are decided per window that starts at a multiple of the timespan.
 */
export function correlationQuery(correlation: Correlation, range: string): CorrelationTranslation {
  const { syntax, members } = correlation;
  if (syntax.type !== 'event_count' && syntax.type !== 'value_count') {
    return { refused: `${syntax.type} is not translated: only event_count and value_count are` };
  }
  const reasons: string[] = [];
  const selects = members.map(({ source, groupFields, valueFields }) => {
    if (isCorrelation(source)) {
      reasons.push(`${source.meta.name || source.meta.id}: correlations of correlations are not translated`);
      return '';
    }
    const { where, reasons: inside } = ruleCondition(source);
    reasons.push(...inside.map((reason) => `${source.meta.name || source.meta.id}: ${reason}`));
    const read = (field: string): string => {
      const found = fieldSql(field);
      if ('sql' in found) return found.sql.members;
      reasons.push(found.reason);
      return '[]';
    };
    const keys = groupFields.map((field, i) => `arrayJoin(arrayDistinct(${read(field)})) AS k${i + 1}`);
    const value = syntax.type === 'value_count' ? [`${valuesSql(valueFields.map(read))} AS Values`] : [];
    const columns = ['End', 'Timestamp', 'SpanId', 'TraceId', ...keys, ...value].join(',\n    ');
    return `  SELECT toUnixTimestamp64Nano(Timestamp) + toInt64(Duration) AS ${columns}\n  FROM ${tableOf(columns + where)}\n  WHERE ${range}${where}`;
  });
  // A condition that is only widened counts too much, so there is no query that is right at least in part.
  if (reasons.length > 0) return { refused: [...new Set(reasons)].join('; ') };
  const keys = syntax.groupBy.map((_, i) => `k${i + 1}`);
  const matches = `matches AS (\n  SELECT DISTINCT * FROM (\n${selects.join('\n  UNION ALL\n')}\n  )\n)`;
  const build = onlyLowerBounds(syntax.thresholds) ? slidingSql : tumblingSql;
  return {
    sql: build({ keys, matches, distinct: syntax.type === 'value_count', correlation }),
    reasons: [],
    notes: keys.map((key, i) => `${key} is ${syntax.groupBy[i]!.name}`),
  };
}

interface Parts {
  readonly keys: readonly string[];
  readonly matches: string;
  /** Values are counted, not spans. */
  readonly distinct: boolean;
  readonly correlation: Correlation;
}

/** Every combination of one value of each field. */
function valuesSql(fields: readonly string[]): string {
  if (fields.length === 1) return `arrayDistinct(${fields[0]})`;
  return fields
    .slice(1)
    .reduce(
      (tuples, field) =>
        `arrayFlatten(arrayMap(tuple -> arrayMap(each -> concat(tuple, '\\\\0', each), ${field}), ${tuples}))`,
      `arrayDistinct(${fields[0]})`,
    );
}

function slidingSql({ keys, matches, distinct, correlation }: Parts): string {
  const nanos = correlation.syntax.timespanNanos;
  const partition = keys.length === 0 ? '' : `PARTITION BY ${keys.join(', ')} `;
  // Frames are told in whole seconds, as ClickHouse takes no larger offsets than 32 bits; what counts of one is exact.
  const place = '(Timestamp, SpanId, TraceId)';
  const frame = `OVER (${partition}ORDER BY intDiv(End, 1000000000) RANGE BETWEEN ${nanos / 1_000_000_000n + 1n} PRECEDING AND CURRENT ROW)`;
  const within = `arrayFilter(each -> each.1 >= End - ${nanos} AND (each.1, each.2) OPERATOR (End, ${place}), Frame)`;
  const counted = (operator: string): string => {
    const spans = within.replace('OPERATOR', operator);
    return distinct ? `length(arrayDistinct(arrayFlatten(arrayMap(each -> each.3, ${spans}))))` : `length(${spans})`;
  };
  const entry = distinct ? `(End, ${place}, Values)` : `(End, ${place})`;
  const source = distinct ? 'matches WHERE notEmpty(Values)' : 'matches';
  return `WITH ${attributeFunctions},
${matches},
frames AS (
  SELECT *, groupArray(${entry}) ${frame} AS Frame FROM ${source}
),
counted AS (
  SELECT ${[...keys, 'End', 'TraceId', 'SpanId'].join(', ')}, ${counted('<=')} AS Counted, ${counted('<')} AS CountedBefore FROM frames
)
SELECT ${[...keys, 'fromUnixTimestamp64Nano(End) AS Time', 'TraceId', 'SpanId', 'Counted'].join(', ')}
FROM counted
WHERE ${conditionSql(correlation.syntax.thresholds, 'Counted')} AND NOT (${conditionSql(correlation.syntax.thresholds, 'CountedBefore')})
ORDER BY End, TraceId, SpanId`;
}

function tumblingSql({ keys, matches, distinct, correlation }: Parts): string {
  const { timespanNanos, thresholds } = correlation.syntax;
  const counted = distinct ? 'length(groupUniqArrayArray(Values))' : 'count()';
  const first = (column: string): string => `argMin(${column}, (End, Timestamp, SpanId, TraceId))`;
  const partition = keys.length === 0 ? '' : `PARTITION BY ${keys.join(', ')} `;
  return `WITH ${attributeFunctions},
${matches},
windows AS (
  SELECT ${[...keys, `intDiv(End, ${timespanNanos}) AS Window`, `${counted} AS Counted`].join(', ')},
    ${first('TraceId')} AS FirstTrace, ${first('SpanId')} AS FirstSpan
  FROM matches${distinct ? ' WHERE notEmpty(Values)' : ''} GROUP BY ${[...keys, 'Window'].join(', ')}
  HAVING ${conditionSql(thresholds, 'Counted')}
),
episodes AS (
  SELECT *, lagInFrame(Window, 1, -2) OVER (${partition}ORDER BY Window ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS Held FROM windows
)
SELECT ${[...keys, `fromUnixTimestamp64Nano((Window + 1) * ${timespanNanos}) AS Time`].join(', ')}, FirstTrace AS TraceId, FirstSpan AS SpanId, Counted
FROM episodes WHERE Held != Window - 1
ORDER BY Time, TraceId, SpanId`;
}

const signs = { gt: '>', gte: '>=', lt: '<', lte: '<=', eq: '=', neq: '!=' } as const;

function conditionSql(thresholds: readonly Threshold[], counted: string): string {
  return anyOf([thresholds.map(({ operator, value }) => `${counted} ${signs[operator]} ${value}`).join(' AND ')]);
}
