import { blank, type SourceFile, type Untidy } from './source.ts';

export const fileLinesMax = 400;
export const functionLinesMax = 70;

/** Files and functions that are too long to be read in one go. */
export function sizeProblems(files: readonly SourceFile[]): Untidy[] {
  return files.flatMap(({ path, text }) => {
    const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
    const problems = lines > fileLinesMax ? [`${path}: ${lines} lines; at most ${fileLinesMax}`] : [];
    const functions = longFunctions(text).map(
      ({ line, length }) => `${path}:${line}: a function of ${length} lines; at most ${functionLinesMax}`,
    );
    return [...problems, ...functions];
  });
}

/**
 * Functions longer than allowed: line of the opening brace and length in lines. Functions inside count for themselves,
 * not for the one around them; bodies of describe() do not count at all.
 */
export function longFunctions(text: string): { line: number; length: number }[] {
  const code = blank(text, { comments: true, strings: true });
  const open: { at: number; line: number; inner: number }[] = [];
  const found: { line: number; length: number }[] = [];
  let line = 1;
  for (let at = 0; at < code.length; at += 1) {
    const character = code[at];
    if (character === '\n') line += 1;
    else if (character === '{') open.push({ at, line, inner: 0 });
    else if (character === '}') {
      const start = open.pop();
      if (start === undefined) continue;
      const around = open.at(-1);
      const lines = line - start.line + 1;
      const isBody = isFunction(code, start.at);
      if (around !== undefined) around.inner += isBody ? Math.max(0, lines - 1) : start.inner;
      const length = lines - start.inner;
      if (isBody && length > functionLinesMax) found.push({ line: start.line, length });
    }
  }
  return found;
}

/** Whether the brace opens a function's body: it follows `=>`, or a parameter list that no keyword introduces. */
function isFunction(code: string, brace: number): boolean {
  const header = code.slice(Math.max(0, brace - 400), brace).trimEnd();
  const statement = header.slice(
    Math.max(header.lastIndexOf(';'), header.lastIndexOf('}'), header.lastIndexOf('{')) + 1,
  );
  if (/\b(describe|suite)\s*\(/.test(statement)) return false;
  if (/=>$/.test(header)) return true;
  if (
    /\b(if|for|while|switch|catch|with|class|interface|enum)\b[^()]*(\(|$)/.test(statement) &&
    !/\bfunction\b/.test(statement)
  ) {
    return false;
  }
  return /\)(\s*:\s*[^;]*)?$/.test(statement);
}
