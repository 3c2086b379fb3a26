import type { Rooms } from '../model/rooms.ts';
import { RowTable, type RowTableName, type SealedSegment } from '../model/spool.ts';
import { readFileBytes, type SpoolFiles } from './files.ts';
import { type Damage, type ScannedRecord, scanSegment, tableSlices } from './format.ts';

export interface SegmentFacts {
  readonly id: string;
  readonly sequence: number;
  readonly marker: Buffer;
  readonly path: string;
  /** How much of the file counts. */
  readonly bytes: number;
  readonly records: number;
  readonly firstTimeMs: number;
  readonly tables: SealedSegment['tables'];
}

interface LoadedSegment {
  readonly bytes: Buffer;
  readonly records: readonly ScannedRecord[];
}

/**
 * A sealed segment and its file. Every read checks the CRCs again: what rotted on the disk meanwhile is left out and
 * reported, and never reaches the store as rows.
 */
export class StoredSegment implements SealedSegment {
  readonly id: string;
  readonly takenMs: number;
  readonly tables: SealedSegment['tables'];
  readonly facts: SegmentFacts;
  readonly #files: SpoolFiles;
  readonly #rooms: Rooms;
  readonly #onDamage: (bytes: Buffer, damage: readonly Damage[]) => Promise<void>;
  /** The store reads one table after the other: the second read finds the file in memory. */
  #loaded: LoadedSegment | undefined;
  #isDamageKnown = false;

  constructor(
    facts: SegmentFacts,
    files: SpoolFiles,
    rooms: Rooms,
    onDamage: (segment: SegmentFacts, bytes: Buffer, damage: readonly Damage[]) => Promise<void>,
  ) {
    this.id = facts.id;
    this.takenMs = facts.firstTimeMs;
    this.tables = facts.tables;
    this.facts = facts;
    this.#files = files;
    this.#rooms = rooms;
    this.#onDamage = (bytes, damage) => onDamage(facts, bytes, damage);
  }

  async read(table: RowTableName): Promise<Buffer[]> {
    const { bytes, records } = this.#loaded ?? (await this.#load());
    return records.flatMap((record) => tableSlices(bytes, record, RowTable[table]));
  }

  /** Nobody looks at what was read any more. */
  release(): void {
    if (this.#loaded !== undefined) this.#rooms.giveBack(this.#loaded.bytes);
    this.#loaded = undefined;
  }

  async #load(): Promise<LoadedSegment> {
    const room = this.#rooms.take(this.facts.bytes);
    const bytes = await readFileBytes(this.#files, this.facts.path, room);
    const { records, damage } = scanSegment(bytes, this.facts);
    if (records.length < this.facts.records && !this.#isDamageKnown) {
      this.#isDamageKnown = true;
      await this.#onDamage(bytes, damage);
    }
    this.#loaded = { bytes, records };
    return this.#loaded;
  }
}
