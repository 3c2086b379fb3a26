import { dirname, join } from 'node:path';
import type { ListedFile, SpoolFile, SpoolFiles } from '../files.ts';

interface Inode {
  /** What a reader sees: the page cache. */
  seen: Buffer;
  /** What is on the disk. */
  durable: Buffer;
  /** Byte ranges that the next fdatasync will write. A failed one forgets them without having written: fsyncgate. */
  dirty: [start: number, end: number][];
  isSizeDirty: boolean;
  changedMs: number;
}

interface Directory {
  seen: Map<string, Inode>;
  durable: Map<string, Inode>;
}

export type FileOperation = 'create' | 'write' | 'sync' | 'truncate' | 'rename' | 'remove' | 'syncDirectory';

/**
 * What befalls one operation. `isHalf`: a write does half of its bytes before the rest fails with the code; an fsync
 * reports the code although the bytes are on the disk.
 */
export interface Mishap {
  readonly operation: FileOperation;
  readonly code: 'ENOSPC' | 'EIO';
  readonly isHalf?: boolean;
}

/**
 * A file system in memory that forgets at `powerLoss` what was not synced: contents without fdatasync, names without a
 * sync of their directory. Some of it may have reached the disk anyway, as `chance` decides.
 */
export class VolatileFiles {
  readonly #directories = new Map<string, Directory>();
  readonly #now: () => number;
  /** Goes up with every crash; calls of the process before it never return. */
  #generation = 0;
  #operationsLeft = Number.POSITIVE_INFINITY;
  readonly mishaps: Mishap[] = [];
  readonly calls: Record<string, number> = {};

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The process dies after so many more operations: their effect stands, their answer never comes. */
  dieAfter(operations: number): void {
    this.#operationsLeft = operations;
  }

  get isDead(): boolean {
    return this.#operationsLeft <= 0;
  }

  /** kill -9: what the process wrote is still seen by the next one. */
  kill(): void {
    this.#generation++;
    this.#operationsLeft = Number.POSITIVE_INFINITY;
    this.mishaps.length = 0;
  }

  /** Power loss: only what is on the disk is seen afterwards. `chance` gives numbers in [0, 1). */
  powerLoss(chance: () => number): void {
    this.kill();
    for (const directory of this.#directories.values()) {
      for (const [name, inode] of directory.seen) {
        if (!directory.durable.has(name) && chance() < 0.3) directory.durable.set(name, inode);
      }
      directory.seen = new Map(directory.durable);
    }
    const inodes = new Set([...this.#directories.values()].flatMap(({ seen }) => [...seen.values()]));
    for (const inode of inodes) loseUnsynced(inode, chance);
  }

  /** The files as one process sees them. */
  mount(): SpoolFiles {
    const generation = this.#generation;
    const run = <T>(operation: FileOperation | 'other', work: (mishap: Mishap | undefined) => T): Promise<T> =>
      this.#run(generation, operation, work);
    return {
      ensureDirectory: (path) => run('other', () => void this.#ensure(path)),
      list: (path) => run('other', () => listOf(this.#directory(path))),
      create: (path) =>
        run('create', (mishap) => {
          if (mishap) throw failure(mishap.code);
          const directory = this.#directory(dirname(path));
          if (directory.seen.has(nameOf(path))) throw failure('EEXIST');
          const inode = emptyInode(this.#now());
          directory.seen.set(nameOf(path), inode);
          return this.#file(inode, run);
        }),
      open: (path) => run('other', () => this.#file(this.#inode(path), run)),
      rename: (from, to) =>
        run('rename', (mishap) => {
          if (mishap) throw failure(mishap.code);
          const inode = this.#inode(from);
          inode.changedMs = this.#now();
          this.#directory(dirname(to)).seen.set(nameOf(to), inode);
          this.#directory(dirname(from)).seen.delete(nameOf(from));
        }),
      remove: (path) =>
        run('remove', (mishap) => {
          if (mishap) throw failure(mishap.code);
          this.#inode(path);
          this.#directory(dirname(path)).seen.delete(nameOf(path));
        }),
      syncDirectory: (path) =>
        run('syncDirectory', (mishap) => {
          if (mishap) throw failure(mishap.code);
          const directory = this.#directory(path);
          directory.durable = new Map(directory.seen);
        }),
      freeBytes: () => run('other', () => Number.MAX_SAFE_INTEGER),
    };
  }

  #file(inode: Inode, run: <T>(name: FileOperation | 'other', work: (mishap: Mishap | undefined) => T) => Promise<T>) {
    const file: SpoolFile = {
      write: (buffers, position) =>
        run('write', (mishap) => {
          const bytes = Buffer.concat(buffers);
          if (mishap && !mishap.isHalf) throw failure(mishap.code);
          const written = mishap ? Math.floor(bytes.length / 2) : bytes.length;
          if (mishap) this.mishaps.unshift({ operation: 'write', code: mishap.code });
          writeTo(inode, bytes.subarray(0, written), position);
          inode.changedMs = this.#now();
          return written;
        }),
      read: (buffer, position) =>
        run('other', () => inode.seen.copy(buffer, 0, position, Math.min(inode.seen.length, position + buffer.length))),
      size: () => run('other', () => inode.seen.length),
      truncate: (bytes) =>
        run('truncate', (mishap) => {
          if (mishap) throw failure(mishap.code);
          inode.seen = Buffer.from(inode.seen.subarray(0, bytes));
          inode.dirty = inode.dirty.flatMap(([start, end]) => (start < bytes ? [[start, Math.min(end, bytes)]] : []));
          inode.isSizeDirty = true;
        }),
      sync: () =>
        run('sync', (mishap) => {
          if (!mishap || mishap.isHalf) syncTo(inode);
          inode.dirty = [];
          if (mishap) throw failure(mishap.code);
        }),
      close: () => run('other', () => undefined),
    };
    return file;
  }

  async #run<T>(
    generation: number,
    operation: FileOperation | 'other',
    work: (mishap: Mishap | undefined) => T,
  ): Promise<T> {
    await Promise.resolve();
    if (generation !== this.#generation || this.#operationsLeft <= 0) return new Promise(() => undefined);
    this.calls[operation] = (this.calls[operation] ?? 0) + 1;
    const mishap = this.mishaps[0]?.operation === operation ? this.mishaps.shift() : undefined;
    if (operation !== 'other') this.#operationsLeft--;
    const result = work(mishap);
    return this.#operationsLeft <= 0 ? new Promise<T>(() => undefined) : result;
  }

  #ensure(path: string): void {
    // Directories are made by their parents' durable entries here; losing a whole directory is not of interest.
    if (!this.#directories.has(path)) this.#directories.set(path, { seen: new Map(), durable: new Map() });
  }

  #directory(path: string): Directory {
    const directory = this.#directories.get(path);
    if (!directory) throw failure('ENOENT');
    return directory;
  }

  #inode(path: string): Inode {
    const inode = this.#directory(dirname(path)).seen.get(nameOf(path));
    if (!inode) throw failure('ENOENT');
    return inode;
  }
}

function emptyInode(changedMs: number): Inode {
  return { seen: Buffer.alloc(0), durable: Buffer.alloc(0), dirty: [], isSizeDirty: false, changedMs };
}

function listOf(directory: Directory): ListedFile[] {
  return [...directory.seen].map(([name, { seen, changedMs }]) => ({ name, bytes: seen.length, changedMs }));
}

function writeTo(inode: Inode, bytes: Buffer, position: number): void {
  const grown = Buffer.alloc(Math.max(inode.seen.length, position + bytes.length));
  inode.seen.copy(grown);
  bytes.copy(grown, position);
  inode.seen = grown;
  inode.dirty.push([position, position + bytes.length]);
  inode.isSizeDirty = true;
}

function syncTo(inode: Inode): void {
  const durable = Buffer.alloc(inode.seen.length);
  inode.durable.copy(durable);
  for (const [start, end] of inode.dirty) inode.seen.copy(durable, start, start, Math.min(end, inode.seen.length));
  inode.durable = durable;
  inode.isSizeDirty = false;
}

/** Of what was not synced, each range may be on the disk or be zeros, and the length old or new. */
function loseUnsynced(inode: Inode, chance: () => number): void {
  const isSizeNew = inode.isSizeDirty && chance() < 0.5;
  const after = Buffer.alloc(isSizeNew ? inode.seen.length : inode.durable.length);
  inode.durable.copy(after);
  for (const [start, end] of inode.dirty) {
    const middle = start + Math.floor((end - start) * chance());
    if (chance() < 0.5) inode.seen.copy(after, start, start, Math.min(middle, inode.seen.length));
    if (chance() < 0.5) inode.seen.copy(after, middle, middle, Math.min(end, inode.seen.length));
  }
  inode.seen = after;
  inode.durable = Buffer.from(after);
  inode.dirty = [];
  inode.isSizeDirty = false;
}

function nameOf(path: string): string {
  return path.slice(join(dirname(path), '/').length);
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}
