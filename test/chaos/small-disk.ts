import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A disk of its own that can be filled up; needs the right to mount a tmpfs. */
export interface SmallDisk {
  readonly directory: string;
  fill(): void;
  free(): void;
  remove(): void;
}

/** Undefined where this process may not mount. */
export function mountSmallDisk(directory: string, mebibytes: number): SmallDisk | undefined {
  mkdirSync(directory, { recursive: true });
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=700`, 'tmpfs', directory]);
  if (mounted.status !== 0) return undefined;
  const ballast = join(directory, 'ballast');
  return {
    directory,
    fill: () => {
      const { bavail, bsize } = statfsSync(directory);
      try {
        writeFileSync(ballast, Buffer.alloc(bavail * bsize));
      } catch {
        // Somebody was faster; what could be written is written, and the disk is full.
      }
    },
    free: () => rmSync(ballast, { force: true }),
    remove: () => {
      spawnSync('umount', ['-l', directory]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
