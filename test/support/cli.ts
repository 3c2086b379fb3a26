import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { CollectorHome } from './collector-process.ts';

/** The program, from the sources. */
export const main = fileURLToPath(new URL('../../collector/src/main.ts', import.meta.url));

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `spanwarden <command…> <args…>` with the config of a home, as a user would. */
export function cliOf(home: CollectorHome, ...command: readonly string[]): (...args: readonly string[]) => CliResult {
  return (...args) => {
    const all = [main, ...command, ...args, '--config', home.configFile];
    const { status, stdout, stderr } = spawnSync(process.execPath, all, { encoding: 'utf8' });
    return { code: status, stdout, stderr };
  };
}
