import { setTimeout as sleep } from 'node:timers/promises';
import { limits } from '../model/limits.ts';
import type { OriginalRead, OriginalRecord, OriginalTail } from './contract.ts';
import { errorCode, type SpoolFile } from './files.ts';
import {
  decodeRecordHeader,
  decodeSegmentHeader,
  type PreparedRecord,
  recordsPerSegmentMax,
  type ScannedRecord,
  scanSegment,
  segmentHeaderBytes,
} from './format.ts';
import { type JournalSource, type SegmentFile, segmentFiles } from './journals.ts';
import { Sleepers } from './sleepers.ts';
import { originalByte } from './tables.ts';
import { segmentAfter } from './tail.ts';

/** How long a disk that refuses is left alone. */
const retryMs = 1_000;

/** Where a reader stands. The open file stays readable when it is renamed or deleted. */
interface Place {
  readonly sequence: number;
  readonly file: SpoolFile;
  readonly marker: Buffer;
  /** Where the record after `position` begins. */
  offset: number;
  position: number;
}

/**
 * Requests as they came, out of the segments' files, open and sealed ones alike: a stretch of a file at a time, so that a reader costs the
 * same memory wherever it stands, and those who write pay nothing for it.
 */
export class SegmentOriginals implements OriginalTail {
  readonly #source: JournalSource;
  readonly #sleepers = new Sleepers();
  #newest: number;
  #place: Place | undefined;
  /** For one stretch after the other: requests are copied out of it. */
  #room: Buffer | undefined;

  /** @param newest the highest position that may be on disk already. */
  constructor(source: JournalSource, newest: number) {
    this.#source = source;
    this.#newest = newest;
  }

  get newest(): number {
    return this.#newest;
  }

  /** Takes note of records that are on disk now, in order; the first has this position. */
  committed(position: number, records: readonly PreparedRecord[]): void {
    this.#newest = position + records.length - 1;
    this.#sleepers.wake();
  }

  /** Gives its file back; nobody may read any more. */
  close(): Promise<void> {
    return this.#leave();
  }

  async read(after: number, signal: AbortSignal): Promise<OriginalRead | undefined> {
    for (let attempt = 0; !signal.aborted; attempt++) {
      if (this.#newest <= after) {
        await this.#sleepers.sleep(signal);
        continue;
      }
      try {
        return await this.#readOn(after);
      } catch (error) {
        // What the disk refuses now it may give later, and what is held does not stay for ever.
        if (attempt === 0) this.#source.logger?.error({ err: error, after }, 'spool: requests could not be read yet');
        await this.#leave().catch(() => undefined);
        await sleep(retryMs, undefined, { signal }).catch(() => undefined);
      }
    }
    return undefined;
  }

  async #readOn(after: number): Promise<OriginalRead> {
    const place = await this.#at(after);
    if ('status' in place) return place;
    const limit = this.#limitOf(place.sequence);
    const records: OriginalRecord[] = [];
    let bytesLeft: number = limits.spoolTailReadBytesMax;
    while (place.position < limit && bytesLeft > 0) {
      for (const record of await this.#next(place, limit, bytesLeft)) {
        if (record.position <= after) continue;
        records.push(record);
        bytesLeft -= record.bytes.length;
      }
    }
    const { position } = place;
    // Nothing follows in this file.
    if (segmentAfter(position) > place.sequence) await this.#leave();
    return { status: 'read', records, through: position };
  }

  /** The place after a position, or that segments are missing before the next that is there. */
  async #at(after: number): Promise<Place | OriginalRead> {
    if (this.#place?.position === after) return this.#place;
    await this.#leave();
    const wanted = segmentAfter(after);
    for (;;) {
      const listed = await segmentFiles(this.#source, 0);
      const next = listed.find(({ sequence }) => sequence >= wanted);
      if (next === undefined || next.sequence > wanted) return this.#gap(wanted, listed, next);
      const file = await this.#source.files.open(next.path).catch(ignoreMoved);
      // Renamed or deleted since it was listed: look again.
      if (file === undefined) continue;
      const header = decodeSegmentHeader(await stretch(file, 0, segmentHeaderBytes));
      const marker = header?.marker ?? this.#source.identity.marker;
      const { sequence } = next;
      const position = sequence * recordsPerSegmentMax - 1;
      this.#place = { sequence, file, marker, offset: header === undefined ? 0 : segmentHeaderBytes, position };
      return this.#place;
    }
  }

  /** Segments go the oldest first: where an older one is still there, those that are missing never held anything. */
  #gap(wanted: number, [oldest]: readonly SegmentFile[], next: SegmentFile | undefined): OriginalRead {
    const through = next === undefined ? this.#newest : next.sequence * recordsPerSegmentMax - 1;
    if (oldest !== undefined && oldest.sequence < wanted) return { status: 'read', records: [], through };
    return { status: 'gone', segments: Math.max(1, segmentAfter(through) - wanted), through };
  }

  async #leave(): Promise<void> {
    const place = this.#place;
    this.#place = undefined;
    await place?.file.close();
  }

  /** Of the open segment no more than is known to be synced. */
  #limitOf(sequence: number): number {
    return Math.min(this.#newest, (sequence + 1) * recordsPerSegmentMax - 1);
  }

  /** Requests of so many bytes, or one more, in the next stretch of the file; where nothing is left before the limit the place moves there. */
  async #next(place: Place, limit: number, bytesMax: number): Promise<OriginalRecord[]> {
    this.#room ??= Buffer.allocUnsafeSlow(limits.spoolTailReadBytesMax);
    const { content, records } = await scanned(place, this.#room);
    const found: OriginalRecord[] = [];
    let last: ScannedRecord | undefined;
    let bytes = 0;
    for (const record of records) {
      if (record.sequence > limit || bytes >= bytesMax) break;
      last = record;
      const original = originalOf(content, record);
      if (original !== undefined) found.push(original);
      bytes += original?.bytes.length ?? 0;
    }
    if (last === undefined) place.position = limit;
    else {
      place.offset += last.offset + last.headerBytes + last.payloadBytes;
      place.position = last.sequence;
    }
    return found;
  }
}

interface Stretch {
  readonly content: Buffer;
  readonly records: readonly ScannedRecord[];
}

/** The records of a stretch that has room there; of a longer one when nothing whole is in it, because of a large record or of damage. */
async function scanned({ file, offset, marker, sequence }: Place, room: Buffer): Promise<Stretch> {
  const left = (await file.size()) - offset;
  let content = room.subarray(0, await file.read(room.subarray(0, Math.max(0, left)), offset));
  let { records } = scanSegment(content, { marker, sequence });
  const isCut = records.length === 0 && content.length < left;
  if (isCut) {
    const record = decodeRecordHeader(content, 0, marker);
    const wanted = record === undefined ? left : Math.min(left, record.headerBytes + record.payloadBytes);
    content = await stretch(file, offset, wanted);
    ({ records } = scanSegment(content, { marker, sequence }));
    if (records.length === 0 && wanted < left) {
      content = await stretch(file, offset, left);
      ({ records } = scanSegment(content, { marker, sequence }));
    }
  }
  return { content, records };
}

async function stretch(file: SpoolFile, offset: number, bytes: number): Promise<Buffer> {
  const content = Buffer.allocUnsafe(Math.max(0, bytes));
  return content.subarray(0, await file.read(content, offset));
}

/** A copy, without the rest of the stretch. */
function originalOf(content: Buffer, record: ScannedRecord): OriginalRecord | undefined {
  let offset = record.offset + record.headerBytes;
  for (const { table, columns: kind, rows: records, bytes } of record.tables) {
    if (table === originalByte) {
      const { sequence: position, timeMs } = record;
      return { position, timeMs, kind, records, bytes: Buffer.from(content.subarray(offset, offset + bytes)) };
    }
    offset += bytes;
  }
  return undefined;
}

function ignoreMoved(error: unknown): undefined {
  if (errorCode(error) !== 'ENOENT') throw error;
  return undefined;
}
