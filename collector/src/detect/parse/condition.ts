import type { Position } from '../../model/errors.ts';
import { limits } from '../../model/limits.ts';
import type { Report } from '../report.ts';
import { didYouMean } from '../report.ts';
import type { Condition, ConditionSyntax } from '../rule.ts';
import type { YamlNode } from '../yaml.ts';

/** The conditions under the key `condition`: one text, or a list of texts that are OR-linked. */
export function parseConditions(node: YamlNode, identifiers: readonly string[], report: Report): ConditionSyntax[] {
  const nodes = node.kind === 'list' ? node.items : [node];
  if (nodes.length === 0) report.error('SW_RULE_CONDITION', node.at, 'the list of conditions is empty');
  const conditions: ConditionSyntax[] = [];
  for (const each of nodes) {
    const text = each.kind === 'scalar' && each.value !== null ? String(each.value) : undefined;
    if (text === undefined) {
      report.error('SW_RULE_CONDITION', each.at, 'a condition is text', 'For example: selection and not filter.');
      continue;
    }
    // In quoted and plain one-line scalars the column of a word can be told; in blocks only the block's start.
    const column = each.kind === 'scalar' && !text.includes('\n') ? each.at.column + (each.plain ? 0 : 1) : undefined;
    const root = parseCondition(text, identifiers, report, (offset) =>
      column === undefined ? each.at : { ...each.at, column: column + offset },
    );
    if (root) conditions.push({ root, text, at: each.at });
  }
  return conditions;
}

/** Names of the identifiers a condition reads. */
export function namesIn(condition: Condition): string[] {
  if (condition.kind === 'identifier') return [condition.name];
  if (condition.kind === 'of') return [...condition.names];
  return condition.kind === 'not' ? namesIn(condition.part) : condition.parts.flatMap(namesIn);
}

interface Token {
  readonly text: string;
  readonly offset: number;
}

interface Parser {
  readonly tokens: readonly Token[];
  next: number;
  readonly identifiers: readonly string[];
  readonly end: number;
  readonly fail: (offset: number, message: string, advice?: string) => never;
  readonly warn: (offset: number, message: string, advice?: string) => void;
}

class Refused extends Error {}

function parseCondition(
  text: string,
  identifiers: readonly string[],
  report: Report,
  at: (offset: number) => Position,
): Condition | undefined {
  const fail = (offset: number, message: string, advice?: string): never => {
    report.error('SW_RULE_CONDITION', at(offset), message, advice);
    throw new Refused();
  };
  const warn: Parser['warn'] = (offset, message, advice) =>
    report.warn('SW_RULE_CONDITION', at(offset), message, advice);
  try {
    if (text.length > limits.ruleConditionCharsMax) {
      fail(0, `the condition is longer than ${limits.ruleConditionCharsMax} characters`, 'Use `1 of name*` patterns.');
    }
    const pipe = text.indexOf('|');
    if (pipe >= 0) refuseAggregation(text, pipe, fail);
    const parser: Parser = { tokens: tokens(text, fail), next: 0, identifiers, end: text.length, fail, warn };
    if (parser.tokens.length === 0) fail(0, 'the condition is empty', 'Name the identifiers that must match.');
    const root = parseOr(parser, 0);
    const rest = parser.tokens[parser.next];
    if (rest) fail(rest.offset, `\`${rest.text}\` is not expected here`, 'Join two parts with `and` or `or`.');
    return root;
  } catch (error) {
    if (error instanceof Refused) return undefined;
    throw error;
  }
}

function refuseAggregation(text: string, pipe: number, fail: Parser['fail']): never {
  const aggregation = text.slice(pipe + 1).trim();
  const name = /^(\w+)\s*(\(\s*\))?/.exec(aggregation);
  const types: Readonly<Record<string, string>> = {
    count: name?.[2] === undefined ? 'value_count' : 'event_count',
    near: 'temporal',
    sum: 'value_sum',
    avg: 'value_avg',
  };
  const type = types[name?.[1] ?? ''] ?? 'event_count';
  return fail(
    pipe,
    'aggregations behind `|` are not part of Sigma any more',
    `Write a correlation rule of type ${type} that refers to this rule.`,
  );
}

function tokens(text: string, fail: Parser['fail']): Token[] {
  const list: Token[] = [];
  for (const match of text.matchAll(/[A-Za-z0-9_*-]+|[()]|\S/g)) {
    const token = { text: match[0], offset: match.index };
    if (!/^(?:[A-Za-z0-9_*-]+|[()])$/.test(token.text)) {
      fail(
        token.offset,
        `\`${token.text}\` has no place in a condition`,
        'Identifiers hold letters, digits, `_` and `-`.',
      );
    }
    list.push(token);
  }
  return list;
}

function parseOr(parser: Parser, depth: number): Condition {
  return parseJoined(parser, depth, 'or', parseAnd);
}

function parseAnd(parser: Parser, depth: number): Condition {
  return parseJoined(parser, depth, 'and', parseNot);
}

function parseJoined(
  parser: Parser,
  depth: number,
  word: 'and' | 'or',
  parsePart: (parser: Parser, depth: number) => Condition,
): Condition {
  const parts = [parsePart(parser, depth)];
  while (parser.tokens[parser.next]?.text === word) {
    parser.next++;
    parts.push(parsePart(parser, depth));
  }
  return parts.length === 1 ? parts[0]! : { kind: word, parts };
}

function parseNot(parser: Parser, depth: number): Condition {
  const token = parser.tokens[parser.next];
  if (depth > limits.ruleConditionDepthMax) {
    parser.fail(
      token?.offset ?? parser.end,
      `the condition is nested deeper than ${limits.ruleConditionDepthMax} levels`,
    );
  }
  if (token?.text !== 'not') return parsePrimary(parser, depth);
  parser.next++;
  const part = parseNot(parser, depth + 1);
  if (part.kind === 'of' && part.names.length > 1) {
    const word = part.count === 1 ? 'or' : 'and';
    if (part.count === 1 || part.count === part.names.length) {
      const advice = `It reads: not (${part.names.join(` ${word} `)}).`;
      parser.warn(token.offset, `\`not ${part.written}\` is easily misread`, advice);
    }
  }
  return { kind: 'not', part };
}

function parsePrimary(parser: Parser, depth: number): Condition {
  const token = parser.tokens[parser.next];
  if (!token) return parser.fail(parser.end, 'the condition ends too early', 'Name an identifier here.');
  parser.next++;
  if (token.text === '(') {
    const inner = parseOr(parser, depth + 1);
    const close = parser.tokens[parser.next];
    if (close?.text !== ')') return parser.fail(close?.offset ?? parser.end, 'a `)` is missing');
    parser.next++;
    return inner;
  }
  if (parser.tokens[parser.next]?.text === 'of') return parseOf(parser, token);
  const lower = token.text.toLowerCase();
  if (token.text !== lower && ['and', 'or', 'not', 'of', 'them'].includes(lower)) {
    return parser.fail(token.offset, `\`${token.text}\` must be lower case`, `Write \`${lower}\`.`);
  }
  if (['and', 'or', 'of', 'them', ')'].includes(token.text)) {
    return parser.fail(token.offset, `\`${token.text}\` is not expected here`, 'Name an identifier here.');
  }
  if (token.text.includes('*')) {
    return parser.fail(
      token.offset,
      `the pattern \`${token.text}\` needs a quantifier`,
      `Write \`1 of ${token.text}\` or \`all of ${token.text}\`.`,
    );
  }
  if (!parser.identifiers.includes(token.text)) {
    const near = didYouMean(token.text, parser.identifiers);
    return parser.fail(
      token.offset,
      `the identifier \`${token.text}\` is not defined`,
      near ? `Write \`${near}\`.` : `Defined: ${parser.identifiers.join(', ')}.`,
    );
  }
  return { kind: 'identifier', name: token.text };
}

function parseOf(parser: Parser, quantifier: Token): Condition {
  const selector = parser.tokens[parser.next + 1];
  parser.next += 2;
  if (!/^(?:any|all|[1-9]\d{0,3})$/.test(quantifier.text)) {
    return parser.fail(
      quantifier.offset,
      `\`${quantifier.text}\` is no quantifier`,
      'Write 1, any, all or a number above 0.',
    );
  }
  if (!selector || /^[()]$/.test(selector.text)) {
    return parser.fail(
      selector?.offset ?? parser.end,
      '`of` needs `them` or a pattern',
      'For example: 1 of selection_*.',
    );
  }
  const names = namesMatching(selector.text, parser.identifiers);
  if (names.length === 0) {
    return parser.fail(
      selector.offset,
      `\`${selector.text}\` matches no identifier`,
      `Defined: ${parser.identifiers.join(', ')}. Names with a leading _ only match patterns with one.`,
    );
  }
  const number = Number(quantifier.text);
  const count = quantifier.text === 'all' ? names.length : quantifier.text === 'any' ? 1 : number;
  if (number > 1) parser.warn(quantifier.offset, `\`${number} of\` is not portable to other Sigma tools`);
  if (count > names.length) {
    return parser.fail(quantifier.offset, `\`${selector.text}\` matches only ${names.length} identifiers`);
  }
  return { kind: 'of', count, names, written: `${quantifier.text} of ${selector.text}` };
}

function namesMatching(selector: string, identifiers: readonly string[]): string[] {
  const pattern = selector === 'them' ? '*' : selector;
  const regex = new RegExp(`^${pattern.replaceAll(/\*+/g, '*').replaceAll('*', '[A-Za-z0-9_-]*')}$`);
  return identifiers.filter((name) => (pattern.startsWith('_') || !name.startsWith('_')) && regex.test(name));
}
