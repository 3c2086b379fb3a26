import { normaliseText } from '../../text/normalise-text.ts';
import type { Matcher, MatcherSpec } from '../matcher.ts';
import type { Report } from '../report.ts';
import type { ItemSyntax } from '../rule.ts';
import { parsePattern } from '../values.ts';
import { throughView, viewOf } from '../views.ts';
import type { YamlScalar } from '../yaml.ts';
import { modifierKinds } from './chain.ts';
import { readCidr } from './cidr.ts';
import { comparisons, type Numeric, numericOf, sameNumber } from './numbers.ts';
import { quoteRegex, readRegex } from './regex.ts';
import { requiredLiterals } from './regex-literals.ts';
import { expandLists, type Lists, textMatchers, wantedText } from './text.ts';
import { type TimePart, timePartOf } from './time-part.ts';

export interface ValueOptions {
  readonly lists: Lists;
  readonly report: Report;
  /** The texts to be looked at are normalised, so that the values are normalised as well. */
  readonly normalise?: boolean;
}

/** The matchers one value of an item stands for, ORed; undefined after an error went to the report. */
export function fieldValueMatchers(scalar: YamlScalar, item: ItemSyntax, options: ValueOptions): Matcher[] | undefined {
  const { modifiers } = item;
  const view = viewOf(modifiers);
  if (view !== undefined) {
    const others = modifiers.filter((modifier) => modifierKinds.get(modifier) !== 'view');
    if (typeof scalar.value !== 'string') {
      const message = `\`${modifiers[0]}\` fits text, not a ${typeof scalar.value}`;
      options.report.error('SW_RULE_VALUE', scalar.at, message, 'Quote the value.');
      return undefined;
    }
    const inner = { ...options, normalise: modifiers.includes('normalised') };
    const matchers = fieldValueMatchers(scalar, { ...item, modifiers: others }, inner);
    return matchers?.map((matcher) => throughView(matcher, view));
  }
  const kinds = modifiers.map((modifier) => modifierKinds.get(modifier));
  if (kinds.includes('regex')) return regexMatchers(scalar, modifiers, options);
  if (modifiers.includes('cidr')) return cidrMatchers(scalar, options.report);
  if (kinds.includes('compare') || kinds.includes('time')) return numberMatchers(scalar, modifiers, options.report);
  const { value, at } = scalar;
  const text = textOf(scalar, item, options.report);
  if (text !== undefined) {
    lintText(scalar, item, options.report);
    return textMatchers(text, {
      modifiers,
      keyword: item.field === '',
      lists: options.lists,
      report: options.report,
      at,
      normalise: options.normalise === true,
    });
  }
  if (typeof value === 'boolean') return [booleanMatcher(value)];
  return typeof value === 'number' || typeof value === 'bigint' ? [numberMatcher(value)] : undefined;
}

/** Text to match as a pattern, or undefined when the value is compared as a number or boolean (or was refused). */
function textOf(scalar: YamlScalar, item: ItemSyntax, report: Report): string | undefined {
  const { value, at } = scalar;
  if (typeof value === 'string') return value;
  const modifier = item.modifiers.find((each) => ['shape', 'text', 'encode'].includes(modifierKinds.get(each)!));
  if (modifier === undefined) return item.field === '' ? String(value) : undefined;
  if (modifierKinds.get(modifier) === 'shape' && typeof value !== 'boolean') {
    report.warn('SW_RULE_VALUE', at, `\`${modifier}\` compares the number as text`, 'Quote it.');
  } else {
    report.error('SW_RULE_VALUE', at, `\`${modifier}\` fits text, not a ${typeof value}`, 'Quote the value.');
  }
  return String(value);
}

function lintText(scalar: YamlScalar, item: ItemSyntax, report: Report): void {
  const { modifiers } = item;
  if (modifiers.includes('base64offset') && !modifiers.includes('contains')) {
    report.warn(
      'SW_RULE_MODIFIER',
      item.at,
      '`base64offset` finds nothing without `contains`',
      'Write `base64offset|contains`.',
    );
  }
  const wide = modifiers.findIndex((modifier) => modifier === 'wide' || modifier.startsWith('utf16'));
  if (wide >= 0 && !modifiers.slice(wide).some((modifier) => modifier.startsWith('base64'))) {
    report.warn(
      'SW_RULE_MODIFIER',
      item.at,
      `\`${modifiers[wide]}\` is meant to be followed by base64 or base64offset`,
    );
  }
  if (modifiers.includes('contains') && scalar.value === '') {
    report.warn('SW_RULE_VALUE', scalar.at, 'an empty text is contained in every value', 'Write `exists: true`.');
  }
}

type NumberOperator = Extract<MatcherSpec, { kind: 'number' }>['operator'];

function booleanMatcher(wanted: boolean): Matcher {
  return {
    test: ({ value }) =>
      typeof value === 'boolean'
        ? value === wanted
        : typeof value === 'string' && value.toLowerCase() === String(wanted),
    wanted: `is ${wanted}`,
    spec: { kind: 'boolean', wanted },
    required: [[String(wanted)]],
  };
}

function numberMatcher(wanted: Numeric): Matcher {
  return {
    test: ({ value }) => {
      if (value === wanted) return true;
      const number = numericOf(value);
      return number !== undefined && sameNumber(number, wanted);
    },
    wanted: `equals ${wanted}`,
    spec: { kind: 'number', operator: 'eq', wanted },
    required: [],
  };
}

function numberMatchers(scalar: YamlScalar, modifiers: readonly string[], report: Report): Matcher[] | undefined {
  const { value, at } = scalar;
  const wanted = typeof value === 'string' ? numericOf(value) : value;
  const chain = modifiers.filter((modifier) => modifier !== 'all' && modifier !== 'neq').join('|');
  if (typeof wanted !== 'number' && typeof wanted !== 'bigint') {
    report.error('SW_RULE_VALUE', at, `\`${chain}\` takes a number`, 'Write a number without quotes.');
    return undefined;
  }
  const part = modifiers.find((modifier) => modifierKinds.get(modifier) === 'time') as TimePart | undefined;
  const operator = (modifiers.find((modifier) => modifierKinds.get(modifier) === 'compare') ?? 'eq') as NumberOperator;
  const compare = comparisons[operator] ?? sameNumber;
  const read = part === undefined ? numericOf : (each: Parameters<typeof numericOf>[0]) => timePartOf(each, part);
  return [
    {
      test: ({ value: member }) => {
        const number = read(member);
        return number !== undefined && compare(number, wanted);
      },
      wanted: `${chain.replaceAll('|', ' ')} ${wanted}`,
      required: [],
      ...(part === undefined && { spec: { kind: 'number', operator, wanted } as const }),
    },
  ];
}

function cidrMatchers({ value, at }: YamlScalar, report: Report): Matcher[] | undefined {
  const read = typeof value === 'string' ? readCidr(value) : { problem: 'this is no IP network' };
  if ('problem' in read) {
    report.error(
      'SW_RULE_VALUE',
      at,
      `${read.problem}: ${JSON.stringify(String(value))}`,
      'Write a network such as 10.0.0.0/8.',
    );
    return undefined;
  }
  const test: Matcher['test'] = (member) => typeof member.value === 'string' && read.test(member.value);
  return [{ test, wanted: `in network ${value}`, required: [], spec: { kind: 'cidr', network: String(value) } }];
}

function regexMatchers(scalar: YamlScalar, modifiers: readonly string[], options: ValueOptions): Matcher[] | undefined {
  const { value, at } = scalar;
  if (typeof value !== 'string') {
    options.report.error('SW_RULE_VALUE', at, '`re` takes text', 'Quote the regex.');
    return undefined;
  }
  const sources = modifiers.includes('expand') ? expandRegex(value, scalar, options) : [value];
  if (options.normalise) lintNormalisedRegex(value, scalar, modifiers, options.report);
  const matchers = sources?.map((source) => regexMatcher(source, scalar, modifiers, options.report));
  return matchers?.every((matcher) => matcher !== undefined) ? matchers : undefined;
}

/** The listed values enter a regex as themselves: what they hold is data, not syntax. */
function expandRegex(source: string, scalar: YamlScalar, options: ValueOptions): string[] | undefined {
  const pieces = source.split(/(\\%|%[A-Za-z0-9_.-]+%)/);
  let sources: string[] = [''];
  for (const piece of pieces) {
    if (!piece.startsWith('%') || piece.length < 3) {
      sources = sources.map((each) => each + (piece === '\\%' ? '%' : piece));
      continue;
    }
    const values = expandLists(parsePattern(piece, true), { ...options, at: scalar.at });
    if (!values) return undefined;
    const listed = options.lists.get(piece.slice(1, -1)) ?? [];
    sources = sources.flatMap((each) => listed.map((value) => each + quoteRegex(value)));
  }
  return sources;
}

function regexMatcher(
  source: string,
  scalar: YamlScalar,
  modifiers: readonly string[],
  report: Report,
): Matcher | undefined {
  const flags = { i: modifiers.includes('i'), m: modifiers.includes('m'), s: modifiers.includes('s') };
  const read = readRegex(source, flags);
  if ('problem' in read) {
    report.error('SW_RULE_REGEX', scalar.at, read.problem, read.advice);
    return undefined;
  }
  const { regex } = read;
  if (regex.matchesEmpty) {
    report.warn(
      'SW_RULE_REGEX',
      scalar.at,
      'the regex matches an empty text, and so everything',
      'Make a part of it mandatory.',
    );
  }
  return {
    test: (member) => member.value !== null && regex.test(member.text),
    find: (member) => regex.find(member.text),
    wanted: wantedText(['re', ...['i', 'm', 's'].filter((flag) => modifiers.includes(flag))].join('|'), source),
    required: regex.required,
    spec: { kind: 'regex', source, flags },
    costly: true,
  };
}

/** What a regex over normalised texts can never find: what normalising changes. */
function lintNormalisedRegex(source: string, { at }: YamlScalar, modifiers: readonly string[], report: Report): void {
  const lost = requiredLiterals(source)
    .flat()
    .find((literal) => normaliseText(literal) !== literal);
  if (lost !== undefined) {
    const message = `normalised text never holds ${JSON.stringify(lost)}`;
    report.warn('SW_RULE_REGEX', at, message, `Write ${JSON.stringify(normaliseText(lost))}.`);
  } else if (!modifiers.includes('i') && /[A-Z]/.test(source.replace(/\\(?:[pP]\{?\w+\}?|.)|\(\?[A-Za-z<]*/g, ''))) {
    report.warn('SW_RULE_REGEX', at, 'normalised text has no capital letters', 'Write small letters, or `re|i`.');
  }
}
