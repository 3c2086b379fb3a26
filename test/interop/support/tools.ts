import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How each program is asked for its version. */
const questions = { java: ['-version'], javac: ['-version'], mvn: ['-v'], go: ['version'] } as const;

export type Tool = keyof typeof questions;

/** What is fetched or built lies here, from run to run; it may be deleted at any time. */
export const cacheFolder = join(tmpdir(), 'spanwarden-interop');

/** The first line that a program says about itself, undefined where it is not there. */
export function versionOf(tool: Tool): string | undefined {
  const { status, stdout, stderr } = spawnSync(tool, questions[tool], { encoding: 'utf8', timeout: 60_000 });
  if (status !== 0) return undefined;
  const [line = ''] = `${stdout}${stderr}`.split('\n');
  // Some colour it.
  return line.replace(/[^\x20-\x7e]|\[[\d;]*m/g, '').trim();
}

/** Why a test cannot be run here, for `skip`; false when all programs are there. */
export function lacking(...tools: readonly Tool[]): string | false {
  const missing = tools.filter((tool) => versionOf(tool) === undefined);
  return missing.length === 0 ? false : `not on this machine: ${missing.join(', ')}`;
}
