// Runs before and after `npm pack`: `package-assets.ts copy | remove <package>`. What stands once at the root of the
// repository goes into the packages while they are packed: the license, and for the collector the page about the product
// and the rules and dashboards, which the published CLI looks for inside its own package.
import { cpSync, existsSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import process from 'node:process';
import { repositoryRoot } from './repository.ts';

const assets: Readonly<Record<string, readonly string[]>> = {
  collector: ['LICENSE', 'README.md', 'rules', 'grafana'],
  instrumentation: ['LICENSE'],
};

const [action, name] = process.argv.slice(2);
const wanted = assets[name ?? ''];
if (wanted === undefined || name === undefined || (action !== 'copy' && action !== 'remove')) {
  throw new Error('usage: package-assets.ts copy | remove collector | instrumentation');
}
for (const asset of wanted) {
  const to = join(repositoryRoot, name, asset);
  rmSync(to, { recursive: true, force: true });
  const from = join(repositoryRoot, asset);
  if (action === 'copy' && existsSync(from)) cpSync(from, to, { recursive: true, filter: isPublished });
}

/** Sources of dashboards need the repository; tests of rules are published, for they show what a rule is for. */
function isPublished(path: string): boolean {
  return !/\.ts$/.test(basename(path));
}
