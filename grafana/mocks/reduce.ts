import { type Field, fieldsOf } from './fields.ts';
import { rowsOf } from './frames.ts';
import { optionsOf, type PanelView } from './view.ts';

/** One figure of a panel that shows figures: of which field, under which name, and its value. */
export interface Figure {
  readonly field: Field;
  readonly label: string;
  readonly value: unknown;
}

const figuresMax = 60;

/** The figures of stat, gauge, bar gauge and pie panels, as their `reduceOptions` ask: one a column, or one a row. */
export function figuresOf(view: PanelView): Figure[] {
  const options = (optionsOf(view).reduceOptions ?? {}) as ReduceOptions;
  const { calcs = ['lastNotNull'], fields: wanted = '', values: eachRow = false, limit = figuresMax } = options;
  return view.frames.flatMap((frame) => {
    const fields = fieldsOf(frame, view);
    const chosen = fields.filter((field) => !field.hidden && isWanted(field, wanted));
    if (chosen.length === 0 && rowsOf(frame) > 0) view.problem(`no column is chosen by fields: ${wanted}`);
    if (rowsOf(frame) === 0) return [];
    if (!eachRow) {
      return chosen.map((field) => ({ field, label: field.label, value: reduced(field.values, calcs[0] ?? '') }));
    }
    const names = fields.find(({ kind }) => kind === 'text');
    return Array.from({ length: Math.min(rowsOf(frame), limit) }, (_, row) =>
      chosen
        .filter((field) => field !== names || chosen.length === 1)
        .map((field) => ({
          field,
          label: names === undefined ? field.label : String(names.values[row] ?? ''),
          value: field.values[row] ?? null,
        })),
    ).flat();
  });
}

interface ReduceOptions {
  readonly calcs?: readonly string[];
  readonly fields?: string;
  readonly values?: boolean;
  readonly limit?: number;
}

/** No name means every number; otherwise a name or an expression between slashes. */
function isWanted({ name, label, kind }: Field, wanted: string): boolean {
  if (wanted === '') return kind === 'number';
  const pattern = /^\/(.*)\/$/.exec(wanted)?.[1];
  return pattern === undefined ? wanted === name || wanted === label : new RegExp(pattern).test(label);
}

/** One of Grafana's calculations over the values of a column. */
export function reduced(values: readonly unknown[], calculation: string): unknown {
  const present = values.filter((value) => value !== null && value !== undefined);
  const numbers = present.filter((value) => typeof value === 'number');
  const sum = numbers.reduce((total, value) => total + value, 0);
  switch (calculation) {
    case 'lastNotNull':
      return present.at(-1) ?? null;
    case 'last':
      return values.at(-1) ?? null;
    case 'firstNotNull':
    case 'first':
      return present[0] ?? null;
    case 'sum':
      return sum;
    case 'mean':
      return numbers.length === 0 ? null : sum / numbers.length;
    case 'max':
      return numbers.length === 0 ? null : numbers.reduce((a, b) => Math.max(a, b));
    case 'min':
      return numbers.length === 0 ? null : numbers.reduce((a, b) => Math.min(a, b));
    case 'count':
      return values.length;
    case 'distinctCount':
      return new Set(present).size;
    default:
      throw new Error(`the calculation ${calculation} is not modelled`);
  }
}
