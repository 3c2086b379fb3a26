import { join } from 'node:path';
import type { SpoolLogger } from './contract.ts';
import { errorCode, ignoreMissing, type SpoolFiles, writeAll } from './files.ts';

const reserveName = 'reserve';
/** Room that must be there beside the reserve before it is taken back, as a multiple of it. */
const roomFactor = 3;
const writeBytesMax = 1024 * 1024;

export interface ReserveOptions {
  readonly files: SpoolFiles;
  readonly directory: string;
  readonly logger: SpoolLogger | undefined;
  /** 0 for none. */
  readonly bytes: number;
}

/**
 * A file of disk space that is given up when the disk is full. What drains the spool needs room itself: an embedded
 * ClickHouse on the same disk, checkpoints, the names of sent segments. Until the reserve is back nothing new is taken.
 */
export class DiskReserve {
  readonly #options: ReserveOptions;
  readonly #path: string;
  #isReleased = false;
  #isBusy = false;

  constructor(options: ReserveOptions) {
    this.#options = options;
    this.#path = join(options.directory, reserveName);
  }

  get isReleased(): boolean {
    return this.#isReleased;
  }

  /** How much must be free before it is taken back. */
  get roomBytes(): number {
    return this.#options.bytes * roomFactor;
  }

  /** At the start; a disk without room for it is no reason not to start. */
  async open(): Promise<void> {
    const { bytes, files, directory } = this.#options;
    const found = (await files.list(directory)).find(({ name }) => name === reserveName);
    if (bytes === 0 || found?.bytes === bytes) {
      if (bytes === 0 && found) await files.remove(this.#path).catch(ignoreMissing);
      return;
    }
    this.#isReleased = true;
    await this.restore();
  }

  /** Gives the space to whoever needs it. Safe to call at any time. */
  async release(): Promise<void> {
    const { bytes, files, logger } = this.#options;
    if (bytes === 0 || this.#isReleased) return;
    this.#isReleased = true;
    await files.remove(this.#path).catch((error: unknown) => {
      if (errorCode(error) !== 'ENOENT') logger?.error({ err: error }, 'spool: the reserve could not be given up');
    });
    logger?.error(
      { bytes },
      'spool: the disk is full; the reserve is given up and nothing is taken until there is room',
    );
  }

  /** Takes the space back when there is room for it and more. */
  async restore(): Promise<void> {
    if (!this.#isReleased || this.#isBusy) return;
    this.#isBusy = true;
    try {
      if (await this.#hasRoom()) {
        await this.#write();
        this.#isReleased = false;
        this.#options.logger?.info({}, 'spool: the reserve of disk space is there');
      }
    } catch {
      // Still no room; the next call tries again.
      await this.#options.files.remove(this.#path).catch(() => undefined);
    } finally {
      this.#isBusy = false;
    }
  }

  async #hasRoom(): Promise<boolean> {
    const { files, directory } = this.#options;
    return (await files.freeBytes(directory)) >= this.roomBytes;
  }

  /** Written and synced, not only a length: a sparse file keeps no room. */
  async #write(): Promise<void> {
    const { files, bytes } = this.#options;
    await files.remove(this.#path).catch(ignoreMissing);
    const file = await files.create(this.#path);
    try {
      const block = Buffer.alloc(Math.min(bytes, writeBytesMax));
      for (let at = 0; at < bytes; at += block.length) {
        await writeAll(file, [block.subarray(0, Math.min(block.length, bytes - at))], at);
      }
      await file.sync();
    } finally {
      await file.close();
    }
  }
}
