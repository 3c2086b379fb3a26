// `npm run check`: format and lint, types, and that generated files are what the sources generate.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { staleFiles } from './generate.ts';
import { repositoryRoot } from './repository.ts';

if (import.meta.main) process.exitCode = check() ? 0 : 1;

/** Runs every check, also after one failed, and says on stderr which did. */
export function check(): boolean {
  const results = [
    run('format and lint', ['@biomejs', 'biome', 'bin', 'biome'], ['check', '--error-on-warnings', '.']),
    run('types', ['typescript', 'bin', 'tsc'], ['-b']),
    generated(),
  ];
  return results.every(Boolean);
}

function run(what: string, script: readonly string[], args: readonly string[]): boolean {
  const path = join(repositoryRoot, 'node_modules', ...script);
  const { status } = spawnSync(process.execPath, [path, ...args], { cwd: repositoryRoot, stdio: 'inherit' });
  return told(what, status === 0);
}

function generated(): boolean {
  const stale = staleFiles();
  for (const path of stale) process.stderr.write(`${path} is not what the sources generate.\n`);
  if (stale.length > 0) process.stderr.write('Run: npm run generate\n');
  return told('generated files', stale.length === 0);
}

function told(what: string, ok: boolean): boolean {
  process.stderr.write(`${ok ? 'ok    ' : 'FAILED'} ${what}\n`);
  return ok;
}
