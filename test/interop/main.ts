// `npm run test:interop -- [words]`: what needs more than Node and Debian's packages, against servers that people really run.
// With words only the files whose path holds one of them.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import process from 'node:process';
import { repositoryRoot } from '../../scripts/repository.ts';
import { versionOf } from './support/tools.ts';

const words = process.argv.slice(2);
const files = globSync('test/interop/**/*.interop.ts', { cwd: repositoryRoot })
  .filter((path) => words.length === 0 || words.some((word) => path.includes(word)))
  .sort();

for (const tool of ['java', 'mvn', 'go'] as const) {
  process.stderr.write(`${tool}: ${versionOf(tool) ?? 'not there; what needs it is skipped'}\n`);
}
if (files.length === 0) {
  process.stderr.write(`No interop test's path holds ${words.join(' or ')}.\n`);
  process.exitCode = 1;
} else {
  // One server at a time: each wants a good part of the machine.
  const args = ['--test', '--test-concurrency=1', '--test-timeout=900000', ...files];
  process.exitCode = spawnSync(process.execPath, args, { cwd: repositoryRoot, stdio: 'inherit' }).status ?? 1;
}
