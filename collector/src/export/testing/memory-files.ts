import type { DeliveryFiles } from '../delivery/files.ts';

/** What is on a disk of memory. */
export type Disk = Map<string, Buffer>;

/**
 * Files that take time, on a disk that outlives whoever writes to it. `hold` stands in the middle of each operation: what has not come
 * back from there has not happened.
 */
export function memoryFiles(disk: Disk, hold: () => Promise<void> = async () => undefined): DeliveryFiles {
  return {
    read: async (name) => disk.get(name),
    replace: async (name, content) => {
      await hold();
      disk.set(name, Buffer.from(content));
      await hold();
    },
    append: async (name, content) => {
      await hold();
      const before = disk.get(name) ?? Buffer.alloc(0);
      const half = Math.floor(content.length / 2);
      disk.set(name, Buffer.concat([before, content.subarray(0, half)]));
      await hold();
      disk.set(name, Buffer.concat([before, content]));
      await hold();
    },
    rename: async (from, to) => {
      const content = disk.get(from);
      if (content === undefined) throw Object.assign(new Error(`no ${from}`), { code: 'ENOENT' });
      disk.delete(from);
      disk.set(to, content);
    },
  };
}
