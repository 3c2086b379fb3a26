import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const cache = new URL('../../node_modules/.cache/spanwarden/debian/', import.meta.url).pathname;
const downloadMs = 120_000;

/** Programs of Debian packages, unpacked into a folder of the project: nothing is installed on the machine. */
export interface DebianTree {
  /** Stands for `/`. */
  readonly root: string;
  readonly libraries: string;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * The packages and nothing that they depend on; name what is not on every Debian. Unpacked once and kept. A text says why it cannot be
 * done here: another system, or no archive that can be reached.
 */
export async function debianPackages(name: string, packages: readonly string[]): Promise<DebianTree | string> {
  const root = join(cache, name);
  if (!existsSync(root)) {
    const failure = await unpack(root, packages);
    if (failure !== undefined) return failure;
  }
  const libraries = join(root, 'usr/lib/x86_64-linux-gnu');
  const path = [libraries, join(root, 'lib/x86_64-linux-gnu'), join(root, 'usr/lib', name)].join(':');
  return { root, libraries, env: { ...process.env, LD_LIBRARY_PATH: path } };
}

async function unpack(root: string, packages: readonly string[]): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'the packages are those of Debian on x86-64';
  const work = `${root}.${process.pid}`;
  mkdirSync(work, { recursive: true });
  try {
    await download(work, packages);
    for (const file of readdirSync(work).filter((each) => each.endsWith('.deb'))) {
      await run('dpkg-deb', ['-x', join(work, file), work]);
      rmSync(join(work, file));
    }
    // Another test file may have been faster.
    if (!existsSync(root)) renameSync(work, root);
    return undefined;
  } catch (error) {
    return `Debian packages cannot be had: ${(error as Error).message.split('\n', 1)[0]}`;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Lists of packages may be missing on a new machine, and old on another. */
async function download(work: string, packages: readonly string[]): Promise<void> {
  const get = () => run('apt-get', ['download', ...packages], { cwd: work, timeout: downloadMs });
  await get().catch(async () => {
    await run('apt-get', ['update'], { timeout: downloadMs });
    await get();
  });
}
