import { limits } from '../../model/limits.ts';
import { foldCase } from '../../text/fold.ts';
import { normaliseText } from '../../text/normalise-text.ts';
import type { TextRange } from '../glob.ts';
import { createLiteralSet } from '../literal-set.ts';
import type { Matcher } from '../matcher.ts';
import { type Pattern, plainText } from '../values.ts';
import type { TextOptions } from './text.ts';

/** From so many values on a list becomes one table instead of one comparison for each value. */
const tableValuesMin = 16;

export interface ListTable {
  readonly matcher: Matcher;
  /** Values with wildcards, which a table cannot hold. */
  readonly rest: readonly string[];
}

/**
 * One matcher for a value such as `%hosts%` or `.%domains%` whose list is long: a hash table, or an automaton for `contains`.
 * Undefined when the value is of another form, the list short or unknown, or after an error went to the report.
 */
export function listTable(pattern: Pattern, wanted: string, options: TextOptions): ListTable | undefined {
  const shape = shapeOf(options);
  const place = pattern.findIndex((part) => typeof part === 'object' && 'list' in part);
  const part = pattern[place];
  if (shape === undefined || typeof part !== 'object' || !('list' in part)) return undefined;
  const [before, after] = [plainText(pattern.slice(0, place)), plainText(pattern.slice(place + 1))];
  const values = options.lists.get(part.list);
  if (before === undefined || after === undefined || !values || values.length < tableValuesMin) return undefined;
  const cased = options.modifiers.includes('cased');
  const form = options.normalise ? normaliseText : cased ? (text: string) => text : foldCase;
  const rest = values.filter((value) => /[*?\\]/.test(value));
  const plain = rest.length === 0 ? values : values.filter((value) => !/[*?\\]/.test(value));
  const literals = new Set(plain.map((value) => form(before + value + after)));
  if (literals.has('')) {
    options.report.error('SW_RULE_VALUE', options.at, `a value of %${part.list}% is empty when normalised`);
    return undefined;
  }
  const find = finders[shape](literals, options, part.list);
  if (!find) return undefined;
  const textOf = (member: Parameters<Matcher['test']>[0]): string => (cased ? member.text : member.folded);
  const matcher: Matcher = {
    test: (member) => member.value !== null && find(textOf(member)) !== undefined,
    find: (member) => find(textOf(member)) ?? { start: 0, end: 0 },
    wanted: `${wanted} (${literals.size} values)`,
    required: [],
  };
  return { matcher, rest };
}

type Shape = 'equals' | 'contains' | 'startswith' | 'endswith';
type Find = (text: string) => TextRange | undefined;

function shapeOf({ modifiers, keyword }: TextOptions): Shape | undefined {
  const shapes: string[] = modifiers.filter((modifier) => !['all', 'neq', 'expand', 'cased'].includes(modifier));
  if (keyword) shapes.push('contains');
  const [shape = 'equals', further] = shapes;
  return further === undefined && shape in finders ? (shape as Shape) : undefined;
}

const finders: Readonly<
  Record<Shape, (literals: ReadonlySet<string>, options: TextOptions, name: string) => Find | undefined>
> = {
  equals: (literals) => (text) => (literals.has(text) ? { start: 0, end: text.length } : undefined),
  startswith: (literals) => {
    const lengths = lengthsOf(literals);
    return (text) => {
      const length = lengths.find((each) => each <= text.length && literals.has(text.slice(0, each)));
      return length === undefined ? undefined : { start: 0, end: length };
    };
  },
  endswith: (literals) => {
    const lengths = lengthsOf(literals);
    return (text) => {
      const length = lengths.find((each) => each <= text.length && literals.has(text.slice(text.length - each)));
      return length === undefined ? undefined : { start: text.length - length, end: text.length };
    };
  },
  contains: (literals, { report, at }, name) => {
    let chars = 0;
    for (const literal of literals) chars += literal.length;
    if (chars > limits.listContainsCharsMax) {
      const message = `the values of %${name}% have ${chars} characters, more than ${limits.listContainsCharsMax}`;
      report.error('SW_RULE_VALUE', at, message, 'Compare whole values (without `contains`), or shorten the list.');
      return undefined;
    }
    const set = createLiteralSet([...literals]);
    return (text) => set.find(text);
  },
};

function lengthsOf(literals: ReadonlySet<string>): number[] {
  const lengths = new Set<number>();
  for (const literal of literals) lengths.add(literal.length);
  return [...lengths].sort((a, b) => a - b);
}
