import { join } from 'node:path';
import { ignoreMissing, type SpoolFile, type SpoolFiles, writeAll } from '../spool/files.ts';
import { encodeHeader, encodeSectionHead, headerBytes } from './checkpoint-format.ts';

/**
 * What is written goes to the disk after so many bytes, not all of it at the end: otherwise a stop on a slow disk would find out only
 * then that it has no time for it, and the spool's own syncs would wait for all of it at once.
 */
const syncBytes = 1024 * 1024;

export interface CheckpointPlace {
  readonly directory: string;
  readonly name: string;
  /** Everything in the journal up to it is in the state. */
  readonly number: number;
}

/**
 * A checkpoint that is being written, piece by piece, under another name: it has its own, and counts, only when all of it is
 * on disk. Everything rejects as the disk does.
 */
export class CheckpointWriter {
  readonly #files: SpoolFiles;
  readonly #place: CheckpointPlace;
  readonly #file: SpoolFile;
  readonly #finished: (segment: number) => Promise<void>;
  #position = headerBytes;
  #sections = 0;
  #unsyncedBytes = 0;

  private constructor(
    files: SpoolFiles,
    place: CheckpointPlace,
    file: SpoolFile,
    finished: (segment: number) => Promise<void>,
  ) {
    this.#files = files;
    this.#place = place;
    this.#file = file;
    this.#finished = finished;
  }

  /** @param finished is told the checkpoint's segment when it is durable */
  static async create(
    files: SpoolFiles,
    place: CheckpointPlace,
    finished: (segment: number) => Promise<void>,
  ): Promise<CheckpointWriter> {
    const temporary = temporaryOf(place);
    await files.remove(temporary).catch(ignoreMissing);
    return new CheckpointWriter(files, place, await files.create(temporary), finished);
  }

  /** Adds a piece of the state. */
  async add(section: Uint8Array): Promise<void> {
    const head = encodeSectionHead(section);
    await writeAll(this.#file, section.length > 0 ? [head, section] : [head], this.#position);
    this.#position += head.length + section.length;
    this.#sections++;
    this.#unsyncedBytes += head.length + section.length;
    if (this.#unsyncedBytes < syncBytes) return;
    await this.#file.sync();
    this.#unsyncedBytes = 0;
  }

  /** Resolves when the checkpoint is durable. */
  async finish({ segment, timeMs }: { readonly segment: number; readonly timeMs: number }): Promise<number> {
    const { directory, name, number } = this.#place;
    await writeAll(this.#file, [encodeHeader({ number, segment, timeMs, sections: this.#sections })], 0);
    await this.#file.sync();
    await this.#file.close();
    await this.#files.rename(temporaryOf(this.#place), join(directory, name));
    await this.#files.syncDirectory(directory);
    await this.#finished(segment);
    return this.#position;
  }

  /** Nothing is left of it, as far as the disk allows; the next start removes the rest. Never rejects. */
  async abandon(): Promise<void> {
    await this.#file.close().catch(ignore);
    await this.#files.remove(temporaryOf(this.#place)).catch(ignore);
  }
}

function temporaryOf({ directory, name }: CheckpointPlace): string {
  return join(directory, `${name}.tmp`);
}

function ignore(): void {}
