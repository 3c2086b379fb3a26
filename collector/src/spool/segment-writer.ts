import { join } from 'node:path';
import { ignoreMissing, type SpoolFile, type SpoolFiles, writeAll } from './files.ts';
import {
  encodeRecordHeader,
  encodeSegmentHeader,
  type PreparedRecord,
  recordsPerSegmentMax,
  type SegmentHeader,
  segmentHeaderBytes,
} from './format.ts';
import { segmentFileName } from './names.ts';
import { TableTotals } from './tables.ts';

/** The segment that is being written. Its caller makes one call at a time. */
export class SegmentWriter {
  readonly header: SegmentHeader;
  readonly path: string;
  readonly totals = new TableTotals();
  readonly #files: SpoolFiles;
  readonly #directory: string;
  readonly #file: SpoolFile;
  #goodBytes = 0;
  #records = 0;
  #firstTimeMs = 0;

  private constructor(files: SpoolFiles, directory: string, header: SegmentHeader, file: SpoolFile) {
    this.#files = files;
    this.#directory = directory;
    this.#file = file;
    this.header = header;
    this.path = pathOf(directory, header);
  }

  static async begin(files: SpoolFiles, directory: string, header: SegmentHeader): Promise<SegmentWriter> {
    return new SegmentWriter(files, directory, header, await files.create(pathOf(directory, header)));
  }

  /** Bytes that are known to be on disk. */
  get bytes(): number {
    return this.#goodBytes;
  }

  get records(): number {
    return this.#records;
  }

  /** The sequence of the next record. */
  get nextSequence(): number {
    return this.header.sequence * recordsPerSegmentMax + this.#records;
  }

  get firstTimeMs(): number {
    return this.#firstTimeMs;
  }

  /** Whether more records may be numbered in this segment. */
  hasRoomFor(records: number): boolean {
    return this.#records + records <= recordsPerSegmentMax;
  }

  /**
   * Puts records on disk with one write and one fdatasync. When it throws, nothing may be said about what is on disk:
   * the segment takes no more records and needs `cut` before it may be sealed.
   */
  async commit(group: readonly PreparedRecord[]): Promise<void> {
    const isFirst = this.#goodBytes === 0;
    const buffers: Uint8Array[] = isFirst ? [encodeSegmentHeader(this.header)] : [];
    let bytes = isFirst ? segmentHeaderBytes : 0;
    let sequence = this.nextSequence;
    for (const record of group) {
      buffers.push(encodeRecordHeader(record, this.header.marker, sequence++), ...record.payload);
      bytes += record.bytes;
    }
    await writeAll(this.#file, buffers, this.#goodBytes);
    await this.#file.sync();
    // Before this the file itself could be missing after a crash, with everything in it.
    if (isFirst) await this.#files.syncDirectory(this.#directory);
    if (isFirst) this.#firstTimeMs = group[0]!.timeMs;
    this.#goodBytes += bytes;
    this.#records += group.length;
    for (const record of group) this.totals.add(record.tables);
  }

  /**
   * Takes away what a failed commit may have left, durably: the same batches will come again in another segment and must
   * not be found twice. After a failed fsync the kernel may call pages clean that never reached the disk, so they are not
   * synced once more but cut off.
   */
  async cut(): Promise<void> {
    await this.#file.truncate(this.#goodBytes);
    await this.#file.sync();
  }

  /** Closes the file, and removes it when it holds no record. */
  async finish(): Promise<void> {
    await this.#file.close();
    if (this.#records === 0) await this.#files.remove(this.path).catch(ignoreMissing);
  }
}

function pathOf(directory: string, header: SegmentHeader): string {
  return join(directory, segmentFileName({ ...header, kind: 'seg' }));
}
