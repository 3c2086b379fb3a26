import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { SpoolOptions } from '../contract.ts';

/** A directory that is gone after the test. */
export async function temporaryDirectory(test: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'spanwarden-spool-'));
  test.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Options under which nothing is sealed or refused by itself. */
export function quietOptions(directory: string, changes: Partial<SpoolOptions> = {}): SpoolOptions {
  return {
    directory,
    segmentBytesMax: 1 << 20,
    segmentAgeMaxMs: 3_600_000,
    bytesMax: 1 << 26,
    graceMs: 600_000,
    pendingBytesMax: 1 << 26,
    ...changes,
  };
}
