import type { BranchExplanation, Explanation, ItemExplanation } from '../detect/explanation.ts';
import type { SpanToExplain } from './explain-span.ts';
import { escapeControl, type Terminal } from './terminal.ts';

/** How many of the wanted values that a field does not hold are shown. */
const missesShown = 12;

/** The tree of an explanation as lines: ✓ and ✗ per part, below each item what was wanted and what is there. */
export function explanationText(span: SpanToExplain, explanation: BranchExplanation, terminal: Terminal): string {
  const title = terminal.bold(escapeControl(explanation.label));
  const verdict = explanation.matched ? terminal.green('matches') : terminal.red('does not match');
  const where = span.caseName === '' ? `${span.traceId}/${span.spanId}` : `case: ${span.caseName}`;
  return [
    `${mark(explanation, terminal)} ${title} ${verdict}`,
    `  span ${escapeControl(span.name)} ${terminal.dim(`(${escapeControl(where)})`)}`,
    ...explanation.parts.flatMap((part) => lines(part, 1, terminal)),
    '',
  ].join('\n');
}

function lines(explanation: Explanation, depth: number, terminal: Terminal): string[] {
  const indent = '  '.repeat(depth);
  if (explanation.kind === 'item') return itemLines(explanation, indent, terminal);
  const { kind, label } = explanation;
  const head = `${indent}${mark(explanation, terminal)} ${heads[kind](escapeControl(label))}`;
  return [head, ...partsBelow(explanation).flatMap((part) => lines(part, depth + 1, terminal))];
}

const heads: Readonly<Record<BranchExplanation['kind'], (label: string) => string>> = {
  rule: (label) => label,
  logsource: (label) => `logsource: ${label}`,
  condition: (label) => `condition: ${label}`,
  filter: (label) => `filter: ${label}`,
  selection: (label) => label,
  and: () => 'all of:',
  or: () => 'any of:',
  not: () => 'not:',
  of: (label) => `${label}:`,
};

/** That all parts of a selection or condition are needed goes without saying. */
function partsBelow({ kind, parts }: BranchExplanation): readonly Explanation[] {
  const [only] = parts;
  const isNamed = kind === 'condition' || kind === 'filter' || kind === 'selection';
  return isNamed && only?.kind === 'and' ? only.parts : parts;
}

function itemLines(item: ItemExplanation, indent: string, terminal: Terminal): string[] {
  const field = item.field === '' ? 'any text of the span' : item.field;
  const [first] = item.wanted;
  const not = item.negated ? 'not: ' : '';
  const simple = item.wanted.length === 1 && first !== undefined;
  const asked = simple ? first.text : item.link === 'all' ? 'all of:' : 'any of:';
  const below = `${indent}    `;
  const found = item.absent.map((name) => `the span has no ${name === '' ? 'texts' : name}`);
  const more = item.members - item.actual.length;
  return [
    `${indent}${mark(item, terminal)} ${terminal.cyan(escapeControl(field))} ${escapeControl(not + asked)}`,
    ...(simple ? [] : wantedLines(item, terminal).map((line) => below + line)),
    ...found.map((text) => `${below}${terminal.yellow(escapeControl(text))}`),
    ...item.actual.map(
      (text) => `${below}${terminal.dim('has')} ${text === '' ? 'an empty text' : escapeControl(text)}`,
    ),
    ...(item.actual.length > 0 && more > 0 ? [`${below}${terminal.dim(`and ${more} more`)}`] : []),
  ];
}

function wantedLines({ wanted }: ItemExplanation, terminal: Terminal): string[] {
  const misses = wanted.filter(({ matched }) => !matched);
  const hidden = new Set(misses.slice(missesShown));
  const shown = wanted.filter((each) => !hidden.has(each));
  return [
    ...shown.map((each) => `${mark(each, terminal)} ${escapeControl(each.text)}`),
    ...(hidden.size > 0 ? [terminal.dim(`and ${hidden.size} more that do not match`)] : []),
  ];
}

function mark({ matched }: { readonly matched: boolean }, terminal: Terminal): string {
  return matched ? terminal.green('✓') : terminal.red('✗');
}
