import { type FileHandle, open, rename, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { SpanwardenError } from '../../model/errors.ts';
import type { ExportEvent } from '../../model/export-event.ts';
import { limits } from '../../model/limits.ts';
import type {
  Destination,
  DestinationContext,
  DestinationType,
  EncodedEvent,
  Format,
  SendOutcome,
} from '../contract.ts';
import { formatNames, openFormat } from '../formats/index.ts';

const mebibyte = 1024 * 1024;

const schema = z.strictObject({
  type: z.literal('file').describe('A file of lines, for whatever follows files: Wazuh, Filebeat, Splunk, Vector.'),
  path: z
    .string()
    .min(1)
    .describe(
      'The file, made with mode 600 where it is not there; its folder must be. Seen from the working directory.',
    ),
  format: z.enum(formatNames).default('json').describe('What stands in each line; see docs/formats.md. Default json.'),
  bytes_max: z
    .int()
    .min(64 * 1024)
    .default(64 * mebibyte)
    .describe('Bytes after which a new file is begun and the old one becomes <path>.1. Default 64 MiB.'),
  files_max: z
    .int()
    .min(1)
    .max(1000)
    .default(5)
    .describe('Files that are kept, the one that is written included. Default 5; older ones are deleted.'),
});

type FileConfig = z.infer<typeof schema>;

/**
 * One line an event in a file that begins anew when it is large. An event counts as delivered when it is on disk. Somebody who
 * moves or deletes the file gets a new one with the next event.
 */
export const fileDestination: DestinationType<'file', typeof schema> = {
  type: 'file',
  schema,
  eventsDefault: ['finding', 'case'],
  open: (config, context) => RotatingFile.open(config, context),
};

interface OpenFile {
  readonly handle: FileHandle;
  readonly inode: bigint;
  size: number;
}

/** What the machine says when a person has to mend something. */
const misconfigured = new Set(['EACCES', 'EPERM', 'ENOENT', 'ENOTDIR', 'EISDIR', 'EROFS', 'ELOOP', 'ENAMETOOLONG']);

class RotatingFile implements Destination {
  readonly #config: FileConfig;
  readonly #context: DestinationContext;
  readonly #path: string;
  readonly #format: Format;
  #file: OpenFile | undefined;
  /** One write after the other, whatever the concurrency. */
  #writing: Promise<unknown> = Promise.resolve();
  readonly limits = {
    eventsMax: limits.exportBatchEventsMax,
    bytesMax: limits.exportBatchBytesMax,
    overheadBytes: 0,
  };

  private constructor(config: FileConfig, context: DestinationContext) {
    this.#config = config;
    this.#context = context;
    this.#path = resolve(config.path);
    this.#format = openFormat(config.format);
  }

  static async open(config: FileConfig, context: DestinationContext): Promise<RotatingFile> {
    const file = new RotatingFile(config, context);
    try {
      await file.#current();
    } catch (error) {
      throw new SpanwardenError({
        code: 'SW_EXPORT_OPEN',
        message: `export.destinations.${context.name}: ${(error as Error).message}`,
        advice: `Name a file in path that this user may write, in a folder that is there.`,
      });
    }
    return file;
  }

  encode(event: ExportEvent): Buffer {
    return Buffer.from(`${this.#format.encode(event, this.#context)}\n`);
  }

  send(batch: readonly EncodedEvent[]): Promise<SendOutcome> {
    const outcome = this.#writing.then(() => this.#write(Buffer.concat(batch.map(({ body }) => body))));
    this.#writing = outcome;
    return outcome;
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#file?.handle.close();
    this.#file = undefined;
  }

  async #write(content: Buffer): Promise<SendOutcome> {
    try {
      const file = await this.#roomFor(content.length);
      await this.#append(file, content);
      return { status: 'delivered', answer: `${content.length} bytes are on disk` };
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException;
      return { status: misconfigured.has(code) ? 'misconfigured' : 'retryable', reason: message };
    }
  }

  /** All of it and its fsync, or the file as it was: a line that is there in part would spoil the next one. */
  async #append(file: OpenFile, content: Buffer): Promise<void> {
    try {
      await file.handle.writeFile(content);
      await file.handle.datasync();
      file.size += content.length;
    } catch (error) {
      await file.handle.truncate(file.size).catch(() => undefined);
      await file.handle.close().catch(() => undefined);
      this.#file = undefined;
      throw error;
    }
  }

  async #roomFor(bytes: number): Promise<OpenFile> {
    const file = await this.#current();
    if (file.size === 0 || file.size + bytes <= this.#config.bytes_max) return file;
    await file.handle.close();
    this.#file = undefined;
    await this.#rotate();
    return this.#current();
  }

  /** <path> becomes <path>.1, that <path>.2; the last one is overwritten, or, where only one is kept, the file itself is. */
  async #rotate(): Promise<void> {
    const kept = this.#config.files_max - 1;
    if (kept === 0) {
      const handle = await open(this.#path, 'r+');
      await handle.truncate(0).finally(() => handle.close());
      return;
    }
    for (let number = kept; number > 0; number--) {
      const from = number === 1 ? this.#path : `${this.#path}.${number - 1}`;
      await rename(from, `${this.#path}.${number}`).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      });
    }
  }

  /** The file under the path now; opened again when somebody moved the one that was there. */
  async #current(): Promise<OpenFile> {
    if (this.#file !== undefined) {
      const there = await stat(this.#path, { bigint: true }).catch(() => undefined);
      if (there?.ino === this.#file.inode) return this.#file;
      await this.#file.handle.close();
      this.#file = undefined;
    }
    const handle = await open(this.#path, 'a+', 0o600);
    try {
      this.#file = { handle, ...(await wholeLines(handle)) };
      await syncDirectory(dirname(this.#path));
    } catch (error) {
      await handle.close();
      throw error;
    }
    return this.#file;
  }
}

/**
 * Takes away what a crash left behind the last whole line: it was not confirmed, and comes again. A line that is none of ours is
 * ended instead: the file may be one that somebody named by mistake.
 */
async function wholeLines(handle: FileHandle): Promise<{ inode: bigint; size: number }> {
  const { ino, size: bytes } = await handle.stat({ bigint: true });
  const size = Number(bytes);
  const block = Buffer.alloc(Math.min(size, 2 * limits.exportEventBytesMax));
  await handle.read(block, 0, block.length, size - block.length);
  if (block.length === 0 || block.at(-1) === newline) return { inode: ino, size };
  const torn = block.subarray(block.lastIndexOf(newline) + 1);
  if (ours.test(torn.subarray(0, 8).toString('latin1'))) {
    await handle.truncate(size - torn.length);
    return { inode: ino, size: size - torn.length };
  }
  await handle.write('\n');
  return { inode: ino, size: size + 1 };
}

/** How each line of ours begins, whatever its format. */
const ours = /^(\{"|CEF:|LEEF:)/;
const newline = 10;

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  await directory.sync().finally(() => directory.close());
}
