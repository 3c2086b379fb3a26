import { posix } from 'node:path';
import { isTest, type SourceFile, type Untidy } from './source.ts';

/**
 * Sources that nothing names: no import, no path of a child process, no package.json. A name counts when it ends a
 * quoted string, with or without its extension. What only tests name is dead as well, unless it lies among tests.
 */
export function deadFiles(files: readonly SourceFile[]): Untidy[] {
  const names = new Map<string, Set<string>>();
  for (const { path, text } of files) {
    for (const [, name] of text.matchAll(/([\w.-]+?)\.(?:ts|mts|mjs|js)(?=['"`\s;?)])/g)) {
      if (name !== undefined) names.set(name, (names.get(name) ?? new Set()).add(path));
    }
  }
  return files
    .filter(({ path }) => /\.(ts|mts|mjs)$/.test(path) && !/\.test\.ts$/.test(path))
    .filter(({ path }) => {
      const name = posix.basename(path).replace(/\.\w+$/, '');
      const users = [...(names.get(name) ?? [])].filter((user) => user !== path && !user.endsWith('.md'));
      return !users.some((user) => isTest(path) || !isTest(user));
    })
    .map(({ path }) => `${path}: nothing uses it`);
}
