import type { Position } from '../../model/errors.ts';
import { limits } from '../../model/limits.ts';
import type { Report } from '../report.ts';
import { entryOf, readYaml, type YamlNode } from '../yaml.ts';

/** Values of a `%name%` placeholder, from a file `lists/<name>.yml`. */
export interface PlaceholderList {
  readonly name: string;
  readonly description: string;
  readonly values: readonly string[];
  readonly at: Position;
}

const namePattern = /^[A-Za-z0-9_.-]+$/;
const keys = ['name', 'description', 'values'];

/**
 * Reads a list file: a YAML list of texts, or a map with `values` and if wanted `name` and `description`; without a name the
 * file's is taken. Lists with one value a line are read at a million lines per second or so, everything else as YAML within
 * the bounds of rule files. What is wrong goes to the report; a list with an error is undefined.
 */
export function parseListFile(file: string, text: string, report: Report): PlaceholderList | undefined {
  const before = report.errors.length;
  const at = { file, line: 1, column: 1 };
  const read = readLines(file, text, report) ?? readNodes(file, text, report);
  if (report.errors.length > before || read === undefined) return undefined;
  const name = read.name ?? file.replace(/^.*[\\/]/, '').replace(/\.ya?ml$/, '');
  if (!namePattern.test(name)) {
    report.error('SW_RULE_VALUE', at, `\`${name}\` is no name for a list`, 'Use letters, digits, _ . and -.');
    return undefined;
  }
  if (read.values.length === 0) {
    report.error('SW_RULE_VALUE', at, `the list \`${name}\` has no values`, 'Write one a line: - value.');
    return undefined;
  }
  return { name, description: read.description ?? '', values: read.values, at };
}

/**
 * Lists of files and of elsewhere as one. A name that stands in two places is an error that says both.
 *
 * @param given lists from the config or the command line, with words for where they stand
 */
export function mergeLists(
  lists: readonly PlaceholderList[],
  given: readonly { readonly lists: ReadonlyMap<string, readonly string[]>; readonly from: string }[],
  report: Report,
): Map<string, readonly string[]> {
  const merged = new Map<string, readonly string[]>();
  const places = new Map<string, string>();
  for (const { lists: own, from } of given) {
    for (const [name, values] of own) {
      merged.set(name, values);
      places.set(name, from);
    }
  }
  for (const { name, values, at } of lists) {
    const place = places.get(name);
    if (place === undefined) {
      merged.set(name, values);
      places.set(name, `${at.file}:${at.line}`);
    } else {
      report.error('SW_RULE_VALUE', at, `the list \`${name}\` already stands in ${place}`, 'Rename or remove one.');
    }
  }
  return merged;
}

interface Read {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly values: readonly string[];
}

/** A line with a plain value without anything that means something to YAML, or a quoted one without escapes. */
const valueLine =
  /^ *- +(?:([^\s"'#&*!|>%@`{}[\],?:-][^:#\\]*?|-?[\w./][^:#\\]*?)|"([^"\\]*)"|'([^']*)')(?:\s+#.*|\s*)$/;
const headLine = /^(name|description): +([A-Za-z0-9][^:#]*?)\s*$/;
const skippedLine = /^\s*(?:#.*)?$/;

/** The common form, read line by line; undefined when a line is not of it, so that YAML has to say what it means. */
function readLines(file: string, text: string, report: Report): Read | undefined {
  const values: string[] = [];
  const head = new Map<string, string>();
  let [line, start, indent] = [0, text.startsWith('\ufeff') ? 1 : 0, -1];
  let inValues = false;
  while (start <= text.length) {
    line++;
    const stop = text.indexOf('\n', start);
    const end = stop < 0 ? text.length : stop;
    const row = text.slice(start, end).replace(/\r$/, '');
    start = end + 1;
    if (skippedLine.test(row)) continue;
    const [, key, value] = headLine.exec(row) ?? [];
    if (key !== undefined && !inValues && values.length === 0 && !head.has(key)) head.set(key, value!);
    else if (row === 'values:' && !inValues && values.length === 0) inValues = true;
    else {
      const [, plain, double, single] = (head.size > 0 && !inValues ? undefined : valueLine.exec(row)) ?? [];
      const column = row.indexOf('-');
      if (indent < 0) indent = column;
      const found = plain ?? double ?? single;
      if (found === undefined || column !== indent) return undefined;
      const problem = valueProblem(plain === undefined ? found : typedPlain(found));
      if (problem !== undefined) report.error('SW_RULE_VALUE', { file, line, column: column + 3 }, ...problem);
      values.push(found);
      if (tooMany(values, { file, line, column: 1 }, report)) break;
    }
  }
  return { name: head.get('name'), description: head.get('description'), values };
}

/** What YAML makes of a plain scalar that is no text: a sign that quotes are missing. */
function typedPlain(text: string): string | null | number {
  if (/^(?:true|false|null|~)$/i.test(text)) return null;
  return /^[-+]?(?:\d[\d_]*\.?\d*(?:e[-+]?\d+)?|0[xo][\da-f]+|\.(?:inf|nan|\d+))$/i.test(text) ? 0 : text;
}

function valueProblem(value: unknown): [message: string, advice: string] | undefined {
  if (typeof value !== 'string') return ['a list holds texts', 'Quote the value.'];
  if (value === '') return ['the value is empty', 'Remove it.'];
  if (value.length <= limits.ruleValueCharsMax) return undefined;
  return [`the value is longer than ${limits.ruleValueCharsMax} characters`, 'Shorten it.'];
}

function tooMany(values: readonly string[], at: Position, report: Report): boolean {
  if (values.length <= limits.listValuesMax) return false;
  report.error('SW_RULE_VALUE', at, `the list has more than ${limits.listValuesMax} values`, 'Split it into several.');
  return true;
}

function readNodes(file: string, text: string, report: Report): Read | undefined {
  const [document, further] = readYaml(file, text, report);
  const at = { file, line: 1, column: 1 };
  if (further) report.error('SW_RULE_VALUE', further.at, 'a list file holds one document', 'Use a file for each list.');
  if (document === undefined) return { values: [] };
  if (document.kind === 'list') return { values: textsOf(document, report) };
  if (document.kind !== 'map') {
    report.error('SW_RULE_VALUE', document.at ?? at, 'a list file is a list of texts', 'Write one a line: - value.');
    return undefined;
  }
  for (const { key, keyAt } of document.entries) {
    if (!keys.includes(key)) report.error('SW_RULE_KEY', keyAt, `unknown key \`${key}\``, `Known: ${keys.join(', ')}.`);
  }
  const wordOf = (key: string): string | undefined => {
    const node = entryOf(document, key)?.value;
    return node?.kind === 'scalar' && node.value !== null ? String(node.value) : undefined;
  };
  const list = entryOf(document, 'values')?.value;
  return { name: wordOf('name'), description: wordOf('description'), values: list ? textsOf(list, report) : [] };
}

function textsOf(node: YamlNode, report: Report): string[] {
  if (node.kind !== 'list') {
    report.error('SW_RULE_VALUE', node.at, '`values` takes a list of texts', 'Write one a line: - value.');
    return [];
  }
  const values: string[] = [];
  for (const item of node.items) {
    const value = item.kind === 'scalar' ? item.value : undefined;
    const problem = valueProblem(value);
    if (problem) report.error('SW_RULE_VALUE', item.at, ...problem);
    else values.push(value as string);
  }
  return values;
}
