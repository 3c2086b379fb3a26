import { join } from 'node:path';
import type { RowTableName, SealedSegment, SegmentTable } from '../model/spool.ts';
import { type DeadLetter, listDeadLetters } from './dead-letters.ts';
import { errorCode, type ListedFile, readFileBytes, type SpoolFiles } from './files.ts';
import { type Damage, type ScannedRecord, scanSegment, segmentFileBytesMax, tableSlices } from './format.ts';
import { readIdentity } from './identity.ts';
import { parseSegmentName, type SegmentName, segmentId } from './names.ts';
import { quarantineDirectory } from './quarantine.ts';
import { journalByte, TableTotals, tableByte } from './tables.ts';

/** A segment file, by its name alone. */
export interface SegmentFile {
  readonly id: string;
  readonly name: string;
  /** `seg`: not sent yet, the one being written among them. `sent`: ClickHouse has it. */
  readonly kind: SegmentName['kind'];
  readonly sequence: number;
  readonly bytes: number;
  readonly changedMs: number;
}

/** What lies in a spool directory. Looks on, changes nothing, and may be asked while a collector writes there. */
export interface SpoolSurvey {
  /** Oldest first. */
  readonly segments: readonly SegmentFile[];
  readonly deadLetters: readonly DeadLetter[];
  /** Files beside the dead letters that cannot be read as such. */
  readonly unreadable: readonly string[];
  readonly quarantined: readonly ListedFile[];
  readonly freeBytes: number;
  /** False while the disk was too full for it. */
  readonly hasReserve: boolean;
}

export interface SpoolPlace {
  readonly files: SpoolFiles;
  readonly directory: string;
}

/** Undefined when the directory is no spool. Throws the file system's error. */
export async function surveySpool(place: SpoolPlace): Promise<SpoolSurvey | undefined> {
  const { files, directory } = place;
  const identity = await readIdentity(files, directory);
  if (identity === undefined) return undefined;
  const listed = await files.list(directory);
  const segments: SegmentFile[] = [];
  for (const { name, bytes, changedMs } of listed) {
    const parsed = parseSegmentName(name);
    if (parsed === undefined) continue;
    const { kind, sequence } = parsed;
    segments.push({ id: segmentId(identity.spoolId, parsed), name, kind, sequence, bytes, changedMs });
  }
  const { letters, unreadable } = await listDeadLetters(place);
  return {
    segments: segments.sort((a, b) => a.sequence - b.sequence),
    deadLetters: letters,
    unreadable,
    quarantined: await listOr(files, join(directory, quarantineDirectory)),
    freeBytes: await files.freeBytes(directory),
    hasReserve: listed.some(({ name }) => name === 'reserve'),
  };
}

/** A segment that waits for this long waits longer than a working ClickHouse makes it. */
export const lateMs = 60_000;

/** What a survey comes to. */
export interface SpoolSummary {
  readonly unsent: { readonly segments: number; readonly bytes: number; readonly oldestMs: number };
  readonly sent: { readonly segments: number; readonly bytes: number };
  readonly deadLetters: { readonly segments: number; readonly rows: number };
  readonly quarantined: { readonly files: number; readonly bytes: number };
}

export function summarise({ segments, deadLetters, quarantined }: SpoolSurvey, nowMs: number): SpoolSummary {
  const unsent = segments.filter(({ kind }) => kind === 'seg');
  const sent = segments.filter(({ kind }) => kind === 'sent');
  const rows = deadLetters.flatMap(({ refused }) => refused).reduce((sum, each) => sum + each.rows, 0);
  const oldestMs = unsent.length === 0 ? 0 : Math.max(0, nowMs - unsent[0]!.changedMs);
  return {
    unsent: { segments: unsent.length, bytes: bytesOf(unsent), oldestMs },
    sent: { segments: sent.length, bytes: bytesOf(sent) },
    deadLetters: { segments: deadLetters.length, rows },
    quarantined: { files: quarantined.length, bytes: bytesOf(quarantined) },
  };
}

function bytesOf(files: readonly { readonly bytes: number }[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** One segment read whole, its checksums checked. */
export interface InspectedSegment extends SealedSegment {
  readonly bytes: number;
  readonly records: readonly InspectedRecord[];
  readonly damage: readonly Damage[];
}

export interface InspectedRecord {
  readonly sequence: number;
  /** When it was taken in, ms since the epoch. */
  readonly timeMs: number;
  readonly offset: number;
  readonly bytes: number;
  /** Hex; equal digests are equal requests. */
  readonly digest: string;
  readonly tables: readonly SegmentTable[];
  readonly journalBytes: number;
}

/** Reads a segment file. Throws the file system's error; damage is told, not thrown. */
export async function inspectSegment(place: SpoolPlace, file: SegmentFile): Promise<InspectedSegment> {
  const { files, directory } = place;
  if (file.bytes > segmentFileBytesMax) throw new RangeError(`${file.name} is larger than any segment`);
  const bytes = await readFileBytes(files, join(directory, file.name));
  const marker = (await readIdentity(files, directory))?.marker ?? Buffer.alloc(0);
  const { header, records, damage } = scanSegment(bytes, { marker, sequence: file.sequence });
  const totals = new TableTotals();
  for (const { tables } of records) totals.add(tables);
  return {
    id: header === undefined ? file.id : segmentId(header.spoolId, header),
    takenMs: records[0]?.timeMs ?? 0,
    tables: totals.list(),
    read: async (table: RowTableName) => records.flatMap((record) => tableSlices(bytes, record, tableByte(table))),
    bytes: bytes.length,
    records: records.map(recordFacts),
    damage,
  };
}

function recordFacts(record: ScannedRecord): InspectedRecord {
  const totals = new TableTotals();
  totals.add(record.tables);
  return {
    sequence: record.sequence,
    timeMs: record.timeMs,
    offset: record.offset,
    bytes: record.headerBytes + record.payloadBytes,
    digest: record.digest.toString('hex'),
    tables: totals.list(),
    journalBytes: record.tables.find(({ table }) => table === journalByte)?.bytes ?? 0,
  };
}

async function listOr(files: SpoolFiles, directory: string): Promise<ListedFile[]> {
  return files.list(directory).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
}
