// Runs before and after `npm pack` of the collector: the published CLI finds the shipped rules and dashboards inside its
// own package, while in the repository they stand at the root. `copy` puts them there, `remove` takes them away again.
import { cpSync, existsSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import process from 'node:process';
import { repositoryRoot } from './repository.ts';

const folders = ['rules', 'grafana'];
const files = ['LICENSE', 'README.md'];
const target = join(repositoryRoot, 'collector');

const action = process.argv[2];
if (action !== 'copy' && action !== 'remove') throw new Error('usage: package-assets.ts copy | remove');
for (const name of [...folders, ...files]) {
  const to = join(target, name);
  rmSync(to, { recursive: true, force: true });
  const from = join(repositoryRoot, name);
  if (action === 'copy' && existsSync(from)) cpSync(from, to, { recursive: true, filter: isPublished });
}

/** Tests of dashboards need the repository; tests of rules are published, for they show what a rule is for. */
function isPublished(path: string): boolean {
  return !/\.test\.ts$/.test(basename(path));
}
