import { join } from 'node:path';
import { type RefusedRows, RowTable, type RowTableName } from '../model/spool.ts';
import { errorCode, ignoreMissing, readFileBytes, replaceFile, type SpoolFiles } from './files.ts';
import {
  decodeSegmentHeader,
  digestBytes,
  encodeRecordHeader,
  encodeSegmentHeader,
  prepareRecord,
  recordsPerSegmentMax,
  scanSegment,
  tableSlices,
} from './format.ts';
import type { SegmentFacts } from './stored-segment.ts';

export const deadLetterDirectory = 'dead-letter';
const reasonCharsMax = 1024;
const listBytesMax = 16 * 1024 * 1024;

/** Rows of one segment that the store refused, as `dead-letter/<segment>.reason.json` tells of them. */
export interface DeadLetter {
  readonly segment: string;
  /** When they were set aside, ISO 8601. */
  readonly time: string;
  readonly refused: readonly {
    readonly table: RowTableName;
    readonly columns: number;
    readonly rows: number;
    readonly firstRow: number;
    readonly bytes: number;
    readonly reason: string;
  }[];
}

export interface DeadLetterPlace {
  readonly files: SpoolFiles;
  /** The spool's. */
  readonly directory: string;
}

/**
 * Sets refused rows aside: `dead-letter/<segment>.seg`, a segment file with one record for each range of rows, and beside it
 * what is in it and why. Done twice for one segment it replaces the same files. Gives the bytes on disk; throws the
 * file system's error.
 */
export async function writeDeadLetter(
  { files, directory, timeMs }: DeadLetterPlace & { readonly timeMs: number },
  { id, sequence, marker }: SegmentFacts,
  refused: readonly RefusedRows[],
): Promise<number> {
  const [spoolId = '', , salt = ''] = id.split('-');
  const parts: Uint8Array[] = [encodeSegmentHeader({ spoolId, sequence, marker, salt })];
  for (const [index, { table, columns, rows, bytes }] of refused.entries()) {
    const batch = { digest: Buffer.alloc(digestBytes), rows: [{ table, bytes, count: rows }] };
    const record = prepareRecord(batch, timeMs, { [table]: columns });
    parts.push(encodeRecordHeader(record, marker, sequence * recordsPerSegmentMax + index), ...record.payload);
  }
  const letter: DeadLetter = {
    segment: id,
    time: new Date(timeMs).toISOString(),
    refused: refused.map(({ bytes, reason, ...rest }) => ({
      ...rest,
      bytes: bytes.length,
      reason: reason.slice(0, reasonCharsMax),
    })),
  };
  const segment = Buffer.concat(parts);
  const reasons = Buffer.from(`${JSON.stringify(letter, null, 2)}\n`);
  const target = join(directory, deadLetterDirectory);
  await files.ensureDirectory(target);
  await replaceFile(files, target, `${id}.seg`, segment);
  await replaceFile(files, target, `${id}.reason.json`, reasons);
  await files.syncDirectory(directory);
  return segment.length + reasons.length;
}

/** All dead letters, oldest first, and the names of files there that are none. */
export async function listDeadLetters({ files, directory }: DeadLetterPlace): Promise<{
  readonly letters: readonly DeadLetter[];
  readonly unreadable: readonly string[];
}> {
  const folder = join(directory, deadLetterDirectory);
  const listed = await files.list(folder).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
  const letters: DeadLetter[] = [];
  const unreadable: string[] = [];
  const described = new Set<string>();
  for (const { name, bytes } of listed) {
    if (!name.endsWith('.reason.json') || bytes > listBytesMax) continue;
    const letter = parseLetter(await readFileBytes(files, join(folder, name)));
    if (letter === undefined) continue;
    letters.push(letter);
    described.add(`${letter.segment}.seg`).add(name);
  }
  for (const { name } of listed) if (!described.has(name)) unreadable.push(name);
  return { letters: letters.sort((a, b) => a.time.localeCompare(b.time)), unreadable };
}

/** The refused rows themselves; damaged ones are left out. Throws the file system's error. */
export async function readDeadLetter(
  { files, directory }: DeadLetterPlace,
  { segment, refused }: DeadLetter,
): Promise<RefusedRows[]> {
  const bytes = await readFileBytes(files, join(directory, deadLetterDirectory, `${segment}.seg`));
  const header = decodeSegmentHeader(bytes);
  if (header === undefined) return [];
  const { records } = scanSegment(bytes, header);
  return records.flatMap((record) => {
    const facts = refused[record.sequence - header.sequence * recordsPerSegmentMax];
    if (facts === undefined) return [];
    const slices = tableSlices(bytes, record, RowTable[facts.table]);
    return slices.length === 0 ? [] : [{ ...facts, bytes: Buffer.concat(slices) }];
  });
}

/** Takes a dead letter away for good. */
export async function removeDeadLetter({ files, directory }: DeadLetterPlace, segment: string): Promise<void> {
  const folder = join(directory, deadLetterDirectory);
  // The rows first: reasons without rows tell what happened, rows without reasons tell nothing.
  await files.remove(join(folder, `${segment}.seg`)).catch(ignoreMissing);
  await files.remove(join(folder, `${segment}.reason.json`)).catch(ignoreMissing);
  await files.syncDirectory(folder);
}

function parseLetter(bytes: Buffer): DeadLetter | undefined {
  try {
    const letter = JSON.parse(bytes.toString('utf8')) as Partial<DeadLetter> | null;
    const isWhole =
      typeof letter?.segment === 'string' &&
      /^[0-9a-f]{16}-\d{16}-[0-9a-f]{8}$/.test(letter.segment) &&
      typeof letter.time === 'string' &&
      Array.isArray(letter.refused) &&
      letter.refused.every(({ table }) => Object.hasOwn(RowTable, table));
    return isWhole ? (letter as DeadLetter) : undefined;
  } catch {
    return undefined;
  }
}
