import type { Position } from '../../model/errors.ts';
import { limits } from '../../model/limits.ts';
import { normaliseText } from '../../text/normalise-text.ts';
import { compileGlob, type Glob, longestLiteral, type TextRange } from '../glob.ts';
import type { Matcher, MatcherSpec, Member } from '../matcher.ts';
import type { Report } from '../report.ts';
import {
  joinTexts,
  literalPattern,
  type Pattern,
  type PatternPart,
  parsePattern,
  plainText,
  withWildcards,
} from '../values.ts';
import { base64Offsets, type Utf16Form, utf16Bytes } from './encode.ts';
import { listTable } from './list-matcher.ts';

export type Lists = ReadonlyMap<string, readonly string[]>;

export interface TextOptions {
  readonly modifiers: readonly string[];
  /** Keywords are searched for, not compared. */
  readonly keyword: boolean;
  readonly lists: Lists;
  readonly report: Report;
  readonly at: Position;
  /** The texts to be looked at are normalised, so that the pattern is normalised as well. */
  readonly normalise?: boolean;
}

/** What a string value stands for, ORed: one matcher per expansion. Undefined after an error went to the report. */
export function textMatchers(source: string, options: TextOptions): Matcher[] | undefined {
  const { modifiers, report, at } = options;
  if (source.length > limits.ruleValueCharsMax) {
    report.error('SW_RULE_VALUE', at, `the value is longer than ${limits.ruleValueCharsMax} characters`);
    return undefined;
  }
  const expanding = modifiers.includes('expand');
  const parsed = parsePattern(source, expanding);
  const errors = report.errors.length;
  const table = expanding ? listTable(parsed, wantedText(nameOf(modifiers), source), options) : undefined;
  if (report.errors.length > errors) return undefined;
  const expanded = expanding ? expandLists(parsed, options, table?.rest) : [parsed];
  let state: Stage[] | undefined = expanded;
  for (const modifier of options.keyword ? [...modifiers, 'contains'] : modifiers) {
    if (!state) return undefined;
    state = applyOne(state, modifier, options);
  }
  const caseMatters = modifiers.some((modifier) => modifier === 'cased' || modifier.startsWith('base64'));
  const patterns = state?.map(asText);
  const forms = options.normalise ? patterns?.map((pattern) => normalisedPattern(pattern, options)) : patterns;
  if (!forms?.every((form) => form !== undefined)) return undefined;
  const matchers = forms.map((form) => new GlobMatcher(form, caseMatters, modifiers, source));
  return table ? [table.matcher, ...matchers] : matchers;
}

/** The pattern with its texts normalised; error when nothing of them is left, so that it would match everything. */
export function normalisedPattern(
  pattern: Pattern,
  { report, at }: Pick<TextOptions, 'report' | 'at'>,
): Pattern | undefined {
  const parts = joinTexts(pattern).map((part) =>
    typeof part === 'object' && 'text' in part ? { text: normaliseText(part.text) } : part,
  );
  const isText = (part: PatternPart): boolean => typeof part === 'object' && 'text' in part;
  const kept = parts.filter((part) => typeof part !== 'object' || !('text' in part) || part.text !== '');
  if (!parts.some(isText) || kept.some(isText)) return joinTexts(kept);
  report.error(
    'SW_RULE_VALUE',
    at,
    'normalised, the value is empty',
    'Look for hidden characters without `normalised`.',
  );
  return undefined;
}

/** What texts a rule has by the thousand: no more is kept of one than is needed to make the rest when somebody asks for it. */
class GlobMatcher implements Matcher {
  readonly #pattern: Pattern;
  readonly #cased: boolean;
  readonly #modifiers: readonly string[];
  readonly #source: string;
  readonly #literal: string;
  #glob: Glob | undefined;

  constructor(pattern: Pattern, cased: boolean, modifiers: readonly string[], source: string) {
    this.#pattern = joinTexts(pattern);
    this.#cased = cased;
    this.#modifiers = modifiers;
    this.#source = source;
    this.#literal = longestLiteral(this.#pattern);
  }

  test(member: Member): boolean {
    return member.value !== null && this.#compiled().test(this.#cased ? member.text : member.folded);
  }

  find(member: Member): TextRange {
    return this.#compiled().find(this.#cased ? member.text : member.folded);
  }

  get wanted(): string {
    return wantedText(nameOf(this.#modifiers), this.#source);
  }

  get required(): readonly (readonly string[])[] {
    return this.#literal === '' ? [] : [[this.#literal]];
  }

  // A search through the text costs more than to ask what the one scan for all rules has found; for short ones it found too often.
  get costly(): true | undefined {
    return this.#pattern[0] === 'any' && this.#literal.length >= scannedCharsMin ? true : undefined;
  }

  get spec(): MatcherSpec {
    return { kind: 'glob', pattern: this.#pattern, cased: this.#cased };
  }

  #compiled(): Glob {
    this.#glob ??= compileGlob(this.#pattern, this.#cased);
    return this.#glob;
  }
}

/** The modifiers that people are to read in what a value asks for. */
function nameOf(modifiers: readonly string[]): string {
  return modifiers.filter((modifier) => !['all', 'neq', 'expand'].includes(modifier)).join('|');
}

const scannedCharsMin = 3;

export function wantedText(modifiers: string, source: string): string {
  const shown = source.length > 80 ? `${source.slice(0, 80)}…` : source;
  return `${modifiers === '' ? 'equals' : modifiers.replaceAll('|', ' ')} ${JSON.stringify(shown)}`;
}

/** All texts of a value's placeholders, or with these `values` for the only one; error when a list is unknown or too long. */
export function expandLists(
  pattern: Pattern,
  options: Pick<TextOptions, 'lists' | 'report' | 'at'>,
  only?: readonly string[],
): Pattern[] | undefined {
  let patterns: PatternPart[][] = [[]];
  for (const part of pattern) {
    if (typeof part !== 'object' || !('list' in part)) {
      for (const each of patterns) each.push(part);
      continue;
    }
    const values = only ?? options.lists.get(part.list);
    if (!values || (values.length === 0 && only === undefined)) {
      const known = [...options.lists.keys()].sort().join(', ');
      options.report.error(
        'SW_RULE_VALUE',
        options.at,
        `the placeholder %${part.list}% has no values`,
        known === ''
          ? 'No lists are configured: write lists/<name>.yml beside the rules, or `detect.lists`.'
          : `Configured lists: ${known}. Write \\% for a percent sign.`,
      );
      return undefined;
    }
    if (patterns.length * values.length > limits.expandValuesMax) {
      options.report.error(
        'SW_RULE_VALUE',
        options.at,
        `the placeholders stand for more than ${limits.expandValuesMax} values`,
      );
      return undefined;
    }
    patterns = patterns.flatMap((each) => values.map((value) => [...each, ...parsePattern(value)]));
  }
  return patterns.map(joinTexts);
}

/** A value between two modifiers: text with wildcards, or bytes after an encoding to UTF-16. */
type Stage = Pattern | Buffer;

function applyOne(stages: Stage[], modifier: string, options: TextOptions): Stage[] | undefined {
  switch (modifier) {
    case 'contains':
      return stages.map((stage) => withWildcards(asText(stage), true, true));
    case 'startswith':
      return stages.map((stage) => withWildcards(asText(stage), false, true));
    case 'endswith':
      return stages.map((stage) => withWildcards(asText(stage), true, false));
    case 'windash':
      return stages.map((stage) => freeDashes(asText(stage)));
    case 'utf16le':
    case 'wide':
    case 'utf16be':
    case 'utf16':
    case 'base64':
    case 'base64offset':
      return encodeAll(stages, modifier, options);
    default:
      return stages;
  }
}

function encodeAll(stages: Stage[], modifier: string, options: TextOptions): Stage[] | undefined {
  const result: Stage[] = [];
  for (const stage of stages) {
    const bytes = bytesOf(stage);
    if (bytes === undefined) {
      options.report.error(
        'SW_RULE_VALUE',
        options.at,
        `a value before \`${modifier}\` may not hold wildcards`,
        `Escape them as \\* and \\?, and put \`contains\` behind \`${modifier}\`.`,
      );
      return undefined;
    }
    if (modifier === 'base64') result.push(literalPattern(bytes.toString('base64')));
    else if (modifier === 'base64offset') result.push(...base64Offsets(bytes).map(literalPattern));
    else result.push(utf16Bytes(bytes.toString('utf8'), modifier === 'wide' ? 'utf16le' : (modifier as Utf16Form)));
  }
  return result;
}

function bytesOf(pattern: Pattern | Buffer): Buffer | undefined {
  if (Buffer.isBuffer(pattern)) return pattern;
  const text = plainText(joinTexts(pattern));
  return text === undefined ? undefined : Buffer.from(text, 'utf8');
}

function asText(pattern: Pattern | Buffer): Pattern {
  return Buffer.isBuffer(pattern) ? literalPattern(pattern.toString('latin1')) : pattern;
}

/** Every dash-like character behind no word character and before one becomes any of the five. */
function freeDashes(pattern: Pattern): Pattern {
  const parts: PatternPart[] = [];
  for (const part of pattern) {
    if (typeof part !== 'object' || !('text' in part)) {
      parts.push(part);
      continue;
    }
    let from = 0;
    for (const match of part.text.matchAll(/(?<!\w)[-/–—―](?=\w)/g)) {
      if (match.index > from) parts.push({ text: part.text.slice(from, match.index) });
      parts.push('dash');
      from = match.index + 1;
    }
    if (from < part.text.length) parts.push({ text: part.text.slice(from) });
  }
  return parts;
}
