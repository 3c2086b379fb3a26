import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, stat, statfs, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * What the spool needs of a file system. A seam, so that a test can put one underneath in which writes that were not
 * synced vanish. Errors are Node's, with `code`.
 */
export interface SpoolFiles {
  ensureDirectory(path: string): Promise<void>;
  list(directory: string): Promise<ListedFile[]>;
  /** A new file for writing; fails with EEXIST when there is one. */
  create(path: string): Promise<SpoolFile>;
  /** An existing file for reading and writing. */
  open(path: string): Promise<SpoolFile>;
  /** Replaces the target when there is one. Durable only after `syncDirectory`. */
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  syncDirectory(path: string): Promise<void>;
  /** Bytes that may still be written to the disk of a directory. */
  freeBytes(directory: string): Promise<number>;
}

export interface SpoolFile {
  /** May write less than asked for; gives how many bytes it wrote. */
  write(buffers: readonly Uint8Array[], position: number): Promise<number>;
  /** Fills the buffer from `position`; gives fewer bytes only at the end of the file. */
  read(buffer: Uint8Array, position: number): Promise<number>;
  size(): Promise<number>;
  truncate(bytes: number): Promise<void>;
  /** fdatasync: content and length are on disk afterwards. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface ListedFile {
  readonly name: string;
  readonly bytes: number;
  /** When the file was last written or renamed, ms since the epoch. */
  readonly changedMs: number;
}

const fileMode = 0o600;
const directoryMode = 0o700;

/** The real one. Files are readable by their owner only: they hold prompts. */
export const nodeFiles: SpoolFiles = {
  async ensureDirectory(path) {
    await mkdir(path, { recursive: true, mode: directoryMode });
  },
  async list(directory) {
    const entries = await readdir(directory, { withFileTypes: true });
    const listed = entries.filter((entry) => entry.isFile()).map(({ name }) => listedFile(directory, name));
    return (await Promise.all(listed)).filter((file) => file !== undefined);
  },
  async create(path) {
    return new NodeFile(await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, fileMode));
  },
  async open(path) {
    return new NodeFile(await open(path, constants.O_RDWR));
  },
  rename,
  remove: unlink,
  async syncDirectory(path) {
    const directory = await open(path, constants.O_RDONLY);
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  },
  async freeBytes(directory) {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  },
};

/** Writes every byte or throws; what stood in the file before may be half overwritten then. */
export async function writeAll(file: SpoolFile, buffers: readonly Uint8Array[], position: number): Promise<void> {
  let rest = buffers;
  let at = position;
  while (rest.length > 0) {
    const written = await file.write(rest, at);
    at += written;
    rest = withoutFirst(rest, written);
  }
}

/** A file, or as much of its beginning as `room` takes: a part of that then. */
export async function readFileBytes(files: SpoolFiles, path: string, room?: Buffer): Promise<Buffer> {
  const file = await files.open(path);
  try {
    const buffer = room ?? Buffer.allocUnsafe(await file.size());
    return buffer.subarray(0, await file.read(buffer, 0));
  } finally {
    await file.close();
  }
}

/** Writes a small file so that after a crash either the old content or the new one is there. */
export async function replaceFile(files: SpoolFiles, directory: string, name: string, content: Buffer): Promise<void> {
  const temporary = join(directory, `${name}.tmp`);
  await files.remove(temporary).catch(ignoreMissing);
  const file = await files.create(temporary);
  try {
    await writeAll(file, [content], 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await files.rename(temporary, join(directory, name));
  await files.syncDirectory(directory);
}

/** Undefined for what went away since its name was read: segments that nobody needs any more do. */
async function listedFile(directory: string, name: string): Promise<ListedFile | undefined> {
  try {
    const { size, ctimeMs } = await stat(join(directory, name));
    return { name, bytes: size, changedMs: ctimeMs };
  } catch (error) {
    ignoreMissing(error);
    return undefined;
  }
}

export function errorCode(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : '';
}

export function ignoreMissing(error: unknown): void {
  if (errorCode(error) !== 'ENOENT') throw error;
}

function withoutFirst(buffers: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let index = 0;
  let skip = bytes;
  while (index < buffers.length && skip >= buffers[index]!.length) skip -= buffers[index++]!.length;
  const rest = buffers.slice(index);
  if (skip > 0) rest[0] = rest[0]!.subarray(skip);
  return rest;
}

class NodeFile implements SpoolFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async write(buffers: readonly Uint8Array[], position: number): Promise<number> {
    return (await this.#handle.writev(buffers as Uint8Array[], position)).bytesWritten;
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await this.#handle.read(buffer, filled, buffer.length - filled, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled;
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  truncate(bytes: number): Promise<void> {
    return this.#handle.truncate(bytes);
  }

  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
