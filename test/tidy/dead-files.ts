import { posix } from 'node:path';
import { isTest, type SourceFile, type Untidy } from './source.ts';

/**
 * Sources that nothing names: no import, no path of a child process, no package.json, no command in a page (`node a.ts`).
 * What only tests name is dead as well, unless it lies among tests.
 */
export function deadFiles(files: readonly SourceFile[]): Untidy[] {
  const names = new Map<string, Set<string>>();
  for (const { path, text } of files) {
    for (const [, name] of text.matchAll(path.endsWith('.md') ? inCommand : inCode)) {
      if (name !== undefined) names.set(name, (names.get(name) ?? new Set()).add(path));
    }
  }
  return files
    .filter(({ path }) => /\.(ts|mts|mjs)$/.test(path) && !/\.(test|interop)\.ts$/.test(path))
    .filter(({ path }) => {
      const name = posix.basename(path).replace(/\.\w+$/, '');
      const users = [...(names.get(name) ?? [])].filter((user) => user !== path);
      return !users.some((user) => isTest(path) || !isTest(user));
    })
    .map(({ path }) => `${path}: nothing uses it`);
}

const inCode = /([\w.-]+?)\.(?:ts|mts|mjs|js)(?=['"`\s;?)])/g;
const inCommand = /(?:\bnode|run\.mjs) (?:\S*\/)?([\w.-]+?)\.(?:ts|mjs)\b/g;
