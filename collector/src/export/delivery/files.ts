import { constants } from 'node:fs';
import { mkdir, open, readFile, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The files of one destination. A seam, so that tests can end a delivery at any moment with exactly what was durable. Everything is
 * durable when the promise resolves; errors are Node's, with `code`.
 */
export interface DeliveryFiles {
  /** Undefined when there is none. */
  read(name: string): Promise<Buffer | undefined>;
  /** Afterwards, and after a crash at any time, the file is the old one or the new one. */
  replace(name: string, content: Buffer): Promise<void>;
  /** A crash may leave a part of the content at the end. */
  append(name: string, content: Buffer): Promise<void>;
  rename(from: string, to: string): Promise<void>;
}

const fileMode = 0o600;
const directoryMode = 0o700;

/** The real ones, in a directory that is made with the first that is written. Readable by their owner only. */
export function filesIn(directory: string): DeliveryFiles {
  return {
    read: (name) => readFile(join(directory, name)).catch(missing),
    replace: (name, content) => replaceFile(directory, name, content),
    append: (name, content) => appendFile(directory, name, content),
    rename: async (from, to) => {
      await rename(join(directory, from), join(directory, to));
      await syncDirectory(directory);
    },
  };
}

/**
 * Puts a whole file in the place of another. Without `sync` a crash of the machine may leave the old content, or none.
 *
 * Each process has a draft of its own: a command may write while the collector does.
 */
export async function replaceFile(directory: string, name: string, content: Buffer, sync = true): Promise<void> {
  await mkdir(directory, { recursive: true, mode: directoryMode });
  const draft = join(directory, `${name}.${process.pid}.tmp`);
  try {
    const file = await open(draft, 'w', fileMode);
    try {
      await file.writeFile(content);
      if (sync) await file.datasync();
    } finally {
      await file.close();
    }
    await rename(draft, join(directory, name));
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    throw error;
  }
  if (sync) await syncDirectory(directory);
}

async function appendFile(directory: string, name: string, content: Buffer): Promise<void> {
  await mkdir(directory, { recursive: true, mode: directoryMode });
  const file = await open(join(directory, name), 'a', fileMode);
  try {
    const { size } = await file.stat();
    await file.writeFile(content);
    await file.datasync();
    if (size === 0) await syncDirectory(directory);
  } finally {
    await file.close();
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function missing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}
