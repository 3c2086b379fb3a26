import { sqlOf } from '../query.ts';

/** A query file of `queries/`, and what stands in place of its `{{…}}`. */
export interface AlertQuery {
  readonly file: string;
  readonly words: Readonly<Record<string, string>>;
}

/** An alert rule: how a value is found, when it is too much, and what somebody is told. */
export interface AlertSpec {
  /** Kept for ever: Grafana knows the rule by it. */
  readonly uid: string;
  readonly title: string;
  readonly severity: 'critical' | 'warning';
  readonly query: AlertQuery;
  /** How far the query looks back. Nothing but what Grafana shows depends on it: queries count from now(). */
  readonly windowSeconds: number;
  /** Fires when the value is above, or below it. */
  readonly threshold: { readonly type: 'gt' | 'lt'; readonly value: number };
  /** How long that has to be so, as 0s or 5m. */
  readonly for: string;
  /** What no row means: nothing is wrong, or everything may be. */
  readonly noData: 'OK' | 'Alerting';
  /** What it means that ClickHouse does not answer. One rule alerts about that, the others stay as they are. */
  readonly onError: 'KeepLast' | 'Alerting';
  /** One line; `{{ $labels.x }}` and `{{ $values.B.Value }}` are Grafana's; B is the value. */
  readonly summary: string;
  readonly description: string;
  /** The heading in docs/operations.md that says what to do. */
  readonly runbook: string;
  /** Where to look at it. */
  readonly panel?: { readonly dashboardUid: string; readonly id: number };
}

/** The newest value of a gauge; a metric without labels has none of this name. */
export function newestGauge(metric: string, label: string): AlertQuery {
  return { file: 'alerts/newest-gauge', words: { metric, label } };
}

/** By how much a counter grew within so many minutes. */
export function increase(metric: string, label: string, minutes: number): AlertQuery {
  return { file: 'alerts/increase', words: { metric, label, minutes: String(minutes + lagMinutes) } };
}

/** How long metrics may wait for ClickHouse and still be seen. */
export const lagMinutes = 30;

/** Throws when a word of the file is not given or one that is given is not in it. */
export function alertSql({ file, words }: AlertQuery): string {
  const unused = new Set(Object.keys(words));
  const sql = sqlOf(file).replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const word = words[name];
    if (word === undefined) throw new Error(`${file}.sql has {{${name}}}, and nothing is given for it`);
    unused.delete(name);
    return word;
  });
  if (unused.size > 0) throw new Error(`${file}.sql has no {{${[...unused].join('}}, {{')}}}`);
  return sql;
}
