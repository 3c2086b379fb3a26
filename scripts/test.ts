// Runs every test of the repository: `npm test`, or `npm test -- spool detect/engine` for the files whose path holds one
// of the words. Without words it checks format, types and generated files first.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import process from 'node:process';
import { check } from './check.ts';
import { repositoryRoot } from './repository.ts';

const words = process.argv.slice(2);
const checked = words.length > 0 || check();
const passed = runTests(words);
process.exitCode = checked && passed ? 0 : 1;

function runTests(filters: readonly string[]): boolean {
  const files = globSync(['collector/src', 'instrumentation/src', 'test', 'bench', 'grafana', 'scripts'].map(tests), {
    cwd: repositoryRoot,
    exclude: (path) => path.includes('node_modules') || path.includes('fixtures'),
  })
    .filter((path) => filters.length === 0 || filters.some((filter) => path.includes(filter)))
    .sort();
  if (files.length === 0) {
    process.stderr.write(`No test file's path holds ${filters.join(' or ')}.\n`);
    return false;
  }
  // Some tests start a ClickHouse of their own: more of them at once than cores only makes each slower.
  const concurrency = Math.max(1, Math.min(4, availableParallelism()));
  const args = ['--test', `--test-concurrency=${concurrency}`, '--test-timeout=300000', ...files];
  return spawnSync(process.execPath, args, { cwd: repositoryRoot, stdio: 'inherit' }).status === 0;
}

function tests(folder: string): string {
  return `${folder}/**/*.test.ts`;
}
