import { type Correlation, isCorrelation } from '../detect/correlate/correlation.ts';
import type { Rule } from '../detect/load.ts';
import { correlationQuery } from './correlation-query.ts';
import { attributeFunctions, tableOf } from './fields.ts';
import { ruleCondition } from './rule-query.ts';
import { comment } from './sql-text.ts';

export interface QueryOptions {
  /** Spans that started in the last so many seconds; undefined is all. */
  readonly lastSeconds?: number;
  readonly rowsMax?: number;
  /** Print a query that finds more than the rule where it cannot be said exactly. */
  readonly widen?: boolean;
}

export type HuntQuery =
  | { readonly status: 'exact' | 'wider'; readonly sql: string; readonly reasons: readonly string[] }
  | { readonly status: 'refused'; readonly reasons: readonly string[] };

/** The ClickHouse query for a rule, complete, without parameters and with a comment that says what it is. */
export function huntQuery(rule: Rule | Correlation, options: QueryOptions = {}): HuntQuery {
  const { lastSeconds, rowsMax, widen } = options;
  const range = lastSeconds === undefined ? '' : `Timestamp >= now64(9) - toIntervalSecond(${lastSeconds})\n  AND `;
  const { title, id, version } = rule.meta;
  const head = [comment(`${title} (rule ${id}, version ${version})`)];
  const limit = rowsMax === undefined ? '' : `\nLIMIT ${rowsMax}`;
  if (isCorrelation(rule)) {
    const translated = correlationQuery(rule, range);
    if ('refused' in translated) return { status: 'refused', reasons: [translated.refused] };
    const lines = [...head, ...translated.notes.map(comment), translated.sql + limit];
    return { status: 'exact', sql: `${lines.join('\n')}\n`, reasons: [] };
  }
  const { where, reasons } = ruleCondition(rule);
  if (reasons.length > 0 && !widen) return { status: 'refused', reasons };
  const wider =
    reasons.length > 0 ? ['WIDER THAN THE RULE: finds all of its spans and others. Left out:', ...reasons] : [];
  if (where.includes('Facts[')) head.push(comment('Facts are stored by spanwarden: spans of other writers have none.'));
  const functions = /\b(?:present|members|null_in)\(/.test(where) ? `WITH ${attributeFunctions}\n` : '';
  const sql = `${functions}SELECT Timestamp, TraceId, SpanId, SpanName, ServiceName, AgentName, ConversationId, ToolName
FROM ${tableOf(where)}
WHERE ${range}${where}
ORDER BY Timestamp DESC, SpanId${limit}
`;
  return {
    status: reasons.length > 0 ? 'wider' : 'exact',
    sql: [...head, ...wider.map(comment), sql].join('\n'),
    reasons,
  };
}
