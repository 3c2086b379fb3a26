/**
 * What Grafana makes of an alert rule as its provisioning file has it: a query, numbers with labels out of its rows, Reduce, Threshold, and
 * the states for no data and for errors. How long a state has to last (`for`) is left out.
 * https://github.com/grafana/grafana/blob/main/pkg/expr/nodes.go
 * https://github.com/grafana/grafana/blob/main/pkg/services/ngalert/eval/eval.go
 */
export interface ProvisionedRule {
  readonly uid: string;
  readonly condition: string;
  readonly data: readonly { readonly refId: string; readonly datasourceUid: string; readonly model: ExpressionModel }[];
  readonly noDataState: string;
  readonly execErrState: string;
}

interface ExpressionModel {
  readonly type?: string;
  readonly rawSql?: string;
  readonly expression?: string;
  readonly reducer?: string;
  readonly conditions?: readonly {
    readonly evaluator: { readonly type: string; readonly params: readonly number[] };
  }[];
}

/** A result as ClickHouse gives it: columns with their types, and rows. */
export interface TableResult {
  readonly columns: Readonly<Record<string, string>>;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

/** One series of a rule: its labels, its value, and whether it alerts. */
export interface Instance {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly state: 'Normal' | 'Alerting';
}

/** Instances, or what the rule as a whole is without any. */
export type Evaluation =
  | { readonly status: 'data'; readonly instances: readonly Instance[] }
  | { readonly status: 'no data' | 'error'; readonly state: string };

interface Labelled {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Asks and judges; an error of the query is one of the outcomes, a rule that Grafana would not take throws. */
export async function evaluateRule(
  rule: ProvisionedRule,
  ask: (sql: string) => Promise<TableResult>,
): Promise<Evaluation> {
  const results = new Map<string, readonly Labelled[]>();
  for (const { refId, model } of rule.data) {
    if (model.rawSql !== undefined) {
      const answer = await ask(model.rawSql).catch(() => undefined);
      if (answer === undefined) return { status: 'error', state: rule.execErrState };
      results.set(refId, numbersOf(answer));
      continue;
    }
    const input = results.get(model.expression ?? '');
    if (input === undefined) throw new Error(`${rule.uid}: ${refId} reads ${model.expression}, which is not there`);
    results.set(refId, model.type === 'reduce' ? reduced(input, model) : compared(input, model));
  }
  const condition = results.get(rule.condition);
  if (condition === undefined) throw new Error(`${rule.uid}: no ${rule.condition}`);
  if (condition.length === 0) return { status: 'no data', state: rule.noDataState };
  const values = results.get(rule.data[1]?.refId ?? '') ?? [];
  return {
    status: 'data',
    instances: condition.map(({ labels, value }, i) => {
      return { labels, value: values[i]?.value ?? value, state: value === 0 ? 'Normal' : 'Alerting' };
    }),
  };
}

/** A table with one number and else only strings is one number for each row, labelled by the strings; anything else is an error. */
function numbersOf({ columns, rows }: TableResult): Labelled[] {
  const names = Object.keys(columns);
  const strings = names.filter((name) => /^(LowCardinality\()?String\)?$/.test(columns[name] ?? ''));
  const numbers = names.filter((name) => /^(Float|U?Int)\d+$/.test(columns[name] ?? ''));
  if (numbers.length !== 1 || strings.length + 1 !== names.length) {
    throw new Error(`an alert needs one number and else strings, not ${JSON.stringify(columns)}`);
  }
  const seen = new Set<string>();
  return rows.map((row) => {
    const labels = Object.fromEntries(strings.map((name) => [name, String(row[name])]));
    const key = JSON.stringify(labels);
    if (seen.has(key)) throw new Error(`two rows have the labels ${key}`);
    seen.add(key);
    return { labels, value: Number(row[numbers[0]!]) };
  });
}

/** Numbers are what they are, whatever the reducer. */
function reduced(input: readonly Labelled[], { reducer }: ExpressionModel): readonly Labelled[] {
  if (reducer !== 'last') throw new Error(`the reducer ${reducer} is not modelled`);
  return input;
}

function compared(input: readonly Labelled[], { type, conditions }: ExpressionModel): Labelled[] {
  const evaluator = conditions?.[0]?.evaluator;
  const limit = evaluator?.params[0];
  if (type !== 'threshold' || evaluator === undefined || limit === undefined)
    throw new Error(`${type} is not modelled`);
  if (evaluator.type !== 'gt' && evaluator.type !== 'lt') throw new Error(`${evaluator.type} is not modelled`);
  const isOver = (value: number) => (evaluator.type === 'gt' ? value > limit : value < limit);
  return input.map(({ labels, value }) => ({ labels, value: isOver(value) ? 1 : 0 }));
}
