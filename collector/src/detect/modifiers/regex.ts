import { RE2JS, RE2JSSyntaxException } from 're2js';
import { limits } from '../../model/limits.ts';
import type { TextRange } from '../glob.ts';
import { type LiteralSets, requiredLiterals } from './regex-literals.ts';

export interface RegexFlags {
  readonly i: boolean;
  readonly m: boolean;
  readonly s: boolean;
}

export interface Regex {
  test(text: string): boolean;
  find(text: string): TextRange;
  /** Folded texts without which it cannot match. */
  readonly required: LiteralSets;
  readonly matchesEmpty: boolean;
}

export type RegexRead = { readonly regex: Regex } | { readonly problem: string; readonly advice?: string };

/** Compiling is most of reading rules again of which few have changed; what was compiled never changes. */
const known = new Map<string, RegexRead>();
const knownMax = 8192;

/** Compiles RE2 syntax; matching takes time linear in the text. Lookaround and back-references do not exist in RE2. */
export function readRegex(source: string, flags: RegexFlags): RegexRead {
  const key = `${Number(flags.i)}${Number(flags.m)}${Number(flags.s)}${source}`;
  const before = known.get(key);
  if (before) return before;
  const read = compileRegex(source, flags);
  if (known.size >= knownMax) known.clear();
  known.set(key, read);
  return read;
}

function compileRegex(source: string, flags: RegexFlags): RegexRead {
  if (source.length > limits.regexCharsMax) {
    return {
      problem: `the regex is longer than ${limits.regexCharsMax} characters`,
      advice: 'Split it into several values.',
    };
  }
  const bits = (flags.i ? RE2JS.CASE_INSENSITIVE : 0) | (flags.m ? RE2JS.MULTILINE : 0) | (flags.s ? RE2JS.DOTALL : 0);
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(source, bits);
  } catch (error) {
    return explain(source, error);
  }
  const size = compiled.programSize();
  if (size > limits.regexInstructionsMax) {
    return {
      problem: `the regex compiles to ${size} instructions, more than ${limits.regexInstructionsMax}`,
      advice: 'Lower the repeat counts.',
    };
  }
  const required = requiredLiterals(source);
  return {
    regex: {
      test: (text) => compiled.test(text),
      find: (text) => {
        const matcher = compiled.matcher(text);
        return matcher.find() ? { start: matcher.start(), end: matcher.end() } : { start: 0, end: 0 };
      },
      required,
      matchesEmpty: required.length === 0 && compiled.test(''),
    },
  };
}

/** Text as a regex that matches exactly it. */
export function quoteRegex(text: string): string {
  return RE2JS.quote(text);
}

const unsupported: readonly (readonly [RegExp, string, string])[] = [
  [/\(\?<?[=!]/, 'lookaround', 'Put what must not match into a selection of its own and write `not` in the condition.'],
  [/\\[1-9]/, 'a back-reference', 'Write the alternatives out.'],
  [/\(\?>/, 'an atomic group', 'Use a plain group: RE2 never backtracks.'],
  [/[*+?}]\+/, 'a possessive quantifier', 'Use a plain quantifier: RE2 never backtracks.'],
  [/\\u/, '\\u', 'Write \\x{1F600} for a code point.'],
  [/\\Z/, '\\Z', 'Write \\z for the end of the text.'],
];

function explain(source: string, error: unknown): RegexRead {
  for (const [pattern, name, advice] of unsupported) {
    const match = pattern.exec(source);
    if (match) return { problem: `RE2 has no ${name}: \`${match[0]}\` at character ${match.index + 1}`, advice };
  }
  if (!(error instanceof RE2JSSyntaxException)) return { problem: 'the regex is too deeply nested' };
  return { problem: `the regex is not RE2 syntax: ${error.message.replace(/^error parsing regexp: /, '')}` };
}
