import { join } from 'node:path';
import type { SpoolLogger, StoredJournal } from './contract.ts';
import { readFileBytes, type SpoolFiles } from './files.ts';
import { type ScanExpectation, scanSegment, segmentFileBytesMax, tableSlices } from './format.ts';
import type { SpoolIdentity } from './identity.ts';
import { parseSegmentName } from './names.ts';
import { journalByte } from './tables.ts';

export interface JournalSource {
  readonly files: SpoolFiles;
  readonly directory: string;
  readonly identity: SpoolIdentity;
  readonly logger: SpoolLogger | undefined;
}

/** A segment on disk, whether the store has it or not. */
export interface SegmentFile {
  readonly path: string;
  readonly sequence: number;
  readonly bytes: number;
}

/**
 * The journals in all segments from one sequence on, in the order in which they were written, one file in memory at a
 * time. What cannot be read is logged and left out.
 */
export async function* readJournals(from: JournalSource, fromSegment: number): AsyncGenerator<StoredJournal> {
  const { files, identity, logger } = from;
  for (const { path, sequence, bytes } of await segmentFiles(from, fromSegment)) {
    if (bytes > segmentFileBytesMax) continue;
    let content: Buffer;
    try {
      content = await readFileBytes(files, path);
    } catch (error) {
      logger?.error({ err: error, file: path }, 'spool: the journals of a segment could not be read');
      continue;
    }
    yield* journalsIn(content, { marker: identity.marker, sequence });
  }
}

function* journalsIn(content: Buffer, expected: ScanExpectation): Generator<StoredJournal> {
  const { header, records } = scanSegment(content, expected);
  const segment = header?.sequence ?? expected.sequence;
  for (const record of records) {
    const slices = tableSlices(content, record, journalByte);
    if (slices.length > 0) yield { segment, bytes: Buffer.concat(slices) };
  }
}

/** All segments from one sequence on, in order. */
export async function segmentFiles(
  { files, directory }: Pick<JournalSource, 'files' | 'directory'>,
  fromSegment: number,
): Promise<SegmentFile[]> {
  const found: SegmentFile[] = [];
  for (const { name, bytes } of await files.list(directory)) {
    const segment = parseSegmentName(name);
    if (segment) found.push({ path: join(directory, name), sequence: segment.sequence, bytes });
  }
  return found.filter(({ sequence }) => sequence >= fromSegment).sort((a, b) => a.sequence - b.sequence);
}
