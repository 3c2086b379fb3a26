import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';

/** The folder that holds the repository. */
export const repositoryRoot = resolve(import.meta.dirname, '..');

/** Paths of all files that are in git or would be added, with forward slashes, sorted. */
export function repositoryFiles(): string[] {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const listed = execFileSync('git', args, { cwd: repositoryRoot, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  return [...new Set(listed.split('\0').filter((path) => path !== ''))].sort();
}
