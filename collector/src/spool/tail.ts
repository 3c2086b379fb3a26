import { limits } from '../model/limits.ts';
import type { RowTableName } from '../model/spool.ts';
import type { SpoolTail, TailRead, TailRecord, TailTable } from './contract.ts';
import { errorCode, readFileBytes } from './files.ts';
import {
  type PreparedRecord,
  recordsPerSegmentMax,
  type ScannedRecord,
  scanSegment,
  segmentFileBytesMax,
} from './format.ts';
import { type JournalSource, segmentFiles } from './journals.ts';
import { Sleepers } from './sleepers.ts';
import { tableByte } from './tables.ts';

export interface TailOptions extends JournalSource {
  /** Only their rows are given. */
  readonly tables: readonly RowTableName[];
  /** Bytes of rows that are kept in memory, so that those who keep up read no file. */
  readonly recentBytesMax: number;
  /** The highest position that may be on disk already. */
  readonly newest: number;
}

/** The segment whose records follow a position. */
export function segmentAfter(position: number): number {
  return Math.floor((position + 1) / recordsPerSegmentMax);
}

/**
 * The rows of some tables in the order in which they were written. Those of the last records come from memory; older ones are
 * read again from their segments, one file at a time.
 */
export class DiskTail implements SpoolTail {
  readonly #options: TailOptions;
  readonly #tables: ReadonlyMap<number, RowTableName>;
  #recent: TailRecord[] = [];
  #recentBytes = 0;
  /** Rows of all records after this one are in `recent`. */
  #recentAfter: number;
  #newest: number;
  readonly #sleepers = new Sleepers();

  constructor(options: TailOptions) {
    this.#options = options;
    this.#tables = new Map(options.tables.map((table) => [tableByte(table), table]));
    this.#newest = options.newest;
    this.#recentAfter = options.newest;
  }

  get newest(): number {
    return this.#newest;
  }

  /** Takes note of records that are on disk now, in order; the first has this position. */
  committed(position: number, records: readonly PreparedRecord[]): void {
    for (const [index, { tables, payload, timeMs }] of records.entries()) {
      const rows = tables.flatMap(({ table, columns, rows }, place): TailTable[] => {
        const name = this.#tables.get(table);
        // The bytes are part of larger ones that their owner uses again.
        return name ? [{ table: name, columns, rows, bytes: Buffer.from(payload[place]!) }] : [];
      });
      if (rows.length > 0) this.#remember({ position: position + index, timeMs, tables: rows });
    }
    this.#newest = position + records.length - 1;
    this.#sleepers.wake();
  }

  async read(after: number, signal: AbortSignal): Promise<TailRead | undefined> {
    for (;;) {
      if (signal.aborted) return undefined;
      if (after < this.#recentAfter) {
        const read = await this.#readFile(after);
        if (read) return read;
        // A segment went away while its turn came: look again.
        continue;
      }
      if (this.#newest > after) {
        const first = this.#recent.findIndex(({ position }) => position > after);
        return withinBytes(first < 0 ? [] : this.#recent.slice(first), this.#newest);
      }
      await this.#sleepers.sleep(signal);
    }
  }

  #remember(record: TailRecord): void {
    this.#recent.push(record);
    this.#recentBytes += bytesOf(record);
    let dropped = 0;
    while (this.#recentBytes > this.#options.recentBytesMax && dropped < this.#recent.length - 1) {
      const oldest = this.#recent[dropped++]!;
      this.#recentBytes -= bytesOf(oldest);
      this.#recentAfter = oldest.position;
    }
    if (dropped > 0) this.#recent = this.#recent.slice(dropped);
  }

  /** The next file with records after a position, or that files before it are gone. Undefined when it vanished meanwhile. */
  async #readFile(after: number): Promise<TailRead | undefined> {
    const { files, identity, logger } = this.#options;
    const wanted = segmentAfter(after);
    const [next] = await segmentFiles(this.#options, wanted);
    // What is left of earlier runs ends where this one began.
    const end = next === undefined ? this.#recentAfter : next.sequence * recordsPerSegmentMax - 1;
    if (next === undefined || next.sequence > wanted) return { status: 'gone', after, through: Math.max(after, end) };
    let content: Buffer;
    try {
      content = next.bytes > segmentFileBytesMax ? Buffer.alloc(0) : await readFileBytes(files, next.path);
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      logger?.error({ err: error, file: next.path }, 'spool: the rows of a segment could not be read');
      content = Buffer.alloc(0);
    }
    const { records } = scanSegment(content, { marker: identity.marker, sequence: next.sequence });
    // Of the open segment no more than is known to be synced.
    const limit = Math.min(this.#newest, (next.sequence + 1) * recordsPerSegmentMax - 1);
    const found = records.filter(({ sequence }) => sequence > after && sequence <= limit);
    const read = withinBytes(
      found.flatMap((record) => this.#rowsOf(content, record)),
      limit,
    );
    return { ...read, records: read.records.map(copied) };
  }

  #rowsOf(content: Buffer, record: ScannedRecord): TailRecord[] {
    const tables: TailTable[] = [];
    let offset = record.offset + record.headerBytes;
    for (const { table, columns, rows, bytes } of record.tables) {
      const name = this.#tables.get(table);
      if (name) tables.push({ table: name, columns, rows, bytes: content.subarray(offset, offset + bytes) });
      offset += bytes;
    }
    return tables.length === 0 ? [] : [{ position: record.sequence, timeMs: record.timeMs, tables }];
  }
}

/** As many of the records as may be given at once, one at least. */
function withinBytes(records: readonly TailRecord[], through: number) {
  let bytes = 0;
  for (const [index, record] of records.entries()) {
    bytes += bytesOf(record);
    if (bytes < limits.spoolTailReadBytesMax || index === records.length - 1) continue;
    return { status: 'rows', records: records.slice(0, index + 1), through: record.position } as const;
  }
  return { status: 'rows', records, through } as const;
}

/** Without the rest of the file in memory. */
function copied({ tables, ...record }: TailRecord): TailRecord {
  return { ...record, tables: tables.map((each) => ({ ...each, bytes: Buffer.from(each.bytes) })) };
}

function bytesOf({ tables }: TailRecord): number {
  return tables.reduce((sum, { bytes }) => sum + bytes.length, recordOverheadBytes);
}

/** About what the objects around the rows take. */
const recordOverheadBytes = 300;
