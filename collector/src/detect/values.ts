/** `*` any length including none; `?` one code point; `dash` any of the five dashes of `windash`. */
export type PatternPart = { readonly text: string } | { readonly list: string } | 'any' | 'one' | 'dash';

export type Pattern = readonly PatternPart[];

/**
 * Reads a Sigma string value. A backslash makes the next `*`, `?` or `\` literal and is itself before anything else and
 * at the end. With `placeholders`, `%name%` stands for a list of values and `\%` for a percent sign.
 */
export function parsePattern(source: string, placeholders = false): Pattern {
  if (!/[\\*?%]/.test(source)) return literalPattern(source);
  const parts: PatternPart[] = [];
  let text = '';
  const flush = (): void => {
    if (text !== '') parts.push({ text });
    text = '';
  };
  for (let i = 0; i < source.length; i++) {
    const char = source[i]!;
    const next = source[i + 1];
    if (char === '\\' && next !== undefined && ('*?\\'.includes(next) || (placeholders && next === '%'))) {
      text += next;
      i++;
    } else if (char === '*' || char === '?') {
      flush();
      if (char === '?') parts.push('one');
      else if (parts.at(-1) !== 'any') parts.push('any');
    } else if (placeholders && char === '%') {
      const name = /^%([A-Za-z0-9_.-]+)%/.exec(source.slice(i))?.[1];
      if (name === undefined) {
        text += char;
        continue;
      }
      flush();
      parts.push({ list: name });
      i += name.length + 1;
    } else {
      text += char;
    }
  }
  flush();
  return parts;
}

/** The pattern with all its text literal, wildcards included: for text that is data and not a rule's pattern. */
export function literalPattern(text: string): Pattern {
  return text === '' ? [] : [{ text }];
}

/** The text of a pattern without wildcards, or undefined when it has some. */
export function plainText(pattern: Pattern): string | undefined {
  let text = '';
  for (const part of pattern) {
    if (typeof part === 'string' || !('text' in part)) return undefined;
    text += part.text;
  }
  return text;
}

/** `contains`, `startswith` and `endswith` add a wildcard unless there is one. */
export function withWildcards(pattern: Pattern, before: boolean, after: boolean): Pattern {
  const open: Pattern = before && pattern[0] !== 'any' ? ['any'] : [];
  const last = pattern.at(-1) ?? open[0];
  const close: Pattern = after && last !== 'any' ? ['any'] : [];
  return open.length + close.length === 0 ? pattern : [...open, ...pattern, ...close];
}

/** Joins neighbouring texts, so that a pattern has one form. */
export function joinTexts(pattern: Pattern): Pattern {
  if (!pattern.some((part, at) => joins(pattern[at - 1], part))) return pattern;
  const parts: PatternPart[] = [];
  for (const part of pattern) {
    const last = parts.at(-1);
    if (typeof part === 'object' && 'text' in part && typeof last === 'object' && 'text' in last) {
      parts[parts.length - 1] = { text: last.text + part.text };
    } else if (!(part === 'any' && last === 'any')) {
      parts.push(part);
    }
  }
  return parts;
}

function joins(before: PatternPart | undefined, part: PatternPart): boolean {
  if (typeof part === 'string') return part === 'any' && before === 'any';
  return typeof before === 'object' && 'text' in before && 'text' in part;
}
