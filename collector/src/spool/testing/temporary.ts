import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { SpoolOptions } from '../contract.ts';
import { nodeFiles, type SpoolFiles } from '../files.ts';
import { acquireLock } from '../lock.ts';
import { openSpool } from '../spool.ts';

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

/** A spool in a directory of its own, closed after the test. */
export async function openedSpool(t: TestContext, changes: Partial<SpoolOptions> = {}, files: SpoolFiles = nodeFiles) {
  const directory = await temporaryDirectory(t);
  const spool = await openSpool(quietOptions(directory, changes), { files, lock: acquireLock });
  t.after(() => spool.close());
  return { spool, directory };
}
