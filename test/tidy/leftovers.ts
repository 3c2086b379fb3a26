import { blank, type SourceFile, type Untidy } from './source.ts';

// Put together from halves, so that this file does not find itself.
const words = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'HA' + 'CK'].join('|')})\\b`);
const statements: readonly (readonly [RegExp, string])[] = [
  [/\bconsole\.(log|debug|dir|trace)\b/, 'console output'],
  [/^\s*debugger\b/, 'a debugger statement'],
  [/\b(test|it|describe|suite)\.(only|skip|todo)\b/, 'a focused or skipped test'],
  [/\b(only|skip|todo): *true\b/, 'a focused or skipped test'],
];

/** Work left lying about: notes to oneself, debug output, tests that are switched off. */
export function leftovers(files: readonly SourceFile[]): Untidy[] {
  return files.flatMap(({ path, text }) => {
    const code = /\.(ts|mts|mjs|js)$/.test(path) ? blank(text, { comments: true, strings: true }).split('\n') : [];
    return text.split('\n').flatMap((line, index) => {
      const word = words.exec(line);
      const statement = statements.find(([pattern]) => pattern.test(code[index] ?? ''));
      const what = word?.[0] ?? statement?.[1];
      return what === undefined ? [] : [`${path}:${index + 1}: ${what}`];
    });
  });
}
