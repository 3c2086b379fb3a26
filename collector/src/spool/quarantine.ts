import { join } from 'node:path';
import type { SpoolLogger } from './contract.ts';
import type { SpoolCounters } from './counters.ts';
import { replaceFile, type SpoolFiles } from './files.ts';
import type { Damage } from './format.ts';

export const quarantineDirectory = 'quarantine';

export interface QuarantineDeps {
  readonly files: SpoolFiles;
  readonly directory: string;
  readonly counters: SpoolCounters;
  readonly logger: SpoolLogger | undefined;
}

/**
 * Counts and logs the damage of a segment, and keeps a copy of corrupt bytes in `quarantine/<id>.<offset>.bin` for a
 * person to look at. Gives the bytes it put there. A copy that cannot be written is logged and does not stop the rest.
 */
export async function recordDamage(
  deps: QuarantineDeps,
  id: string,
  bytes: Buffer,
  damage: readonly Damage[],
): Promise<number> {
  let kept = 0;
  for (const { kind, start, end } of damage) {
    const fields = { segment: id, offset: start, bytes: end - start };
    if (kind === 'torn') {
      deps.counters.tornTails++;
      deps.counters.tornBytes += end - start;
      deps.logger?.warn(fields, 'spool: a write that a crash cut short was dropped; it was never acknowledged');
      continue;
    }
    deps.counters.corruptRanges++;
    deps.counters.corruptBytes += end - start;
    deps.logger?.error(fields, 'spool: corrupt bytes in a segment were skipped; a copy is in quarantine/');
    kept += await keep(deps, `${id}.${start}.bin`, bytes.subarray(start, end));
  }
  return kept;
}

async function keep({ files, directory, logger }: QuarantineDeps, name: string, bytes: Buffer): Promise<number> {
  const quarantine = join(directory, quarantineDirectory);
  try {
    await files.ensureDirectory(quarantine);
    await replaceFile(files, quarantine, name, bytes);
    return bytes.length;
  } catch (error) {
    logger?.error({ err: error, file: name }, 'spool: corrupt bytes could not be kept in quarantine/');
    return 0;
  }
}
