import { join } from 'node:path';
import { SpanwardenError } from '../model/errors.ts';
import { deadLetterDirectory } from './dead-letters.ts';
import type { DigestWindow } from './digests.ts';
import { errorCode, type ListedFile, readFileBytes, type SpoolFile, type SpoolFiles, writeAll } from './files.ts';
import {
  type Damage,
  decodeRecordHeader,
  decodeSegmentHeader,
  hasUnknownVersion,
  recordHeaderBytesMax,
  type SegmentScan,
  scanSegment,
  segmentFileBytesMax,
  segmentHeaderBytes,
} from './format.ts';
import type { SpoolIdentity } from './identity.ts';
import { parseSegmentName, type SegmentName, segmentId, setAsideSequence } from './names.ts';
import { type QuarantineDeps, quarantineDirectory, recordDamage } from './quarantine.ts';
import type { SentFile } from './shelf.ts';
import type { SegmentFacts } from './stored-segment.ts';
import { isKnownTable, TableTotals } from './tables.ts';

export interface RecoveryDeps extends QuarantineDeps {
  readonly identity: SpoolIdentity;
  readonly digests: DigestWindow;
  readonly now: () => number;
  readonly graceMs: number;
}

export interface Recovered {
  /** What has to be offered to the store, oldest first; everything in them is synced. */
  readonly segments: readonly SegmentFacts[];
  readonly sent: readonly SentFile[];
  readonly nextSequence: number;
  readonly setAsideBytes: number;
}

interface FoundFile extends ListedFile {
  readonly path: string;
  readonly segment: SegmentName;
}

const headerWindowBytes = 16 * 1024;

/**
 * Brings a spool directory back after whatever ended the last run: keeps every valid record, cuts torn tails, skips and
 * quarantines corrupt ranges, and remembers the digests of what was committed lately. Damage never throws.
 * Throws SpanwardenError SW_DATA_DIR for files of a newer version, and the file system's errors on the directory itself.
 */
export async function recover(deps: RecoveryDeps): Promise<Recovered> {
  const found = await findSegments(deps);
  const newestUnsent = found.findLast(({ segment }) => segment.kind === 'seg');
  const segments: SegmentFacts[] = [];
  const empty = new Set<FoundFile>();
  const sent: SentFile[] = [];
  for (const file of found) {
    if (file.segment.kind === 'sent') {
      sent.push(sentFile(file));
      await restoreDigests(deps, file);
      continue;
    }
    const facts = await recoverSegment(deps, file, file === newestUnsent);
    if (facts === 'empty') empty.add(file);
    else if (facts) segments.push(facts);
  }
  // The last run may have died before the name of its newest file was on disk.
  await deps.files.syncDirectory(deps.directory);
  const aside = await listSetAside(deps);
  // A number that held nothing is used again. Otherwise it would be passed by those who read along, and given out a second time, to them
  // unseen, when no file tells of it any more.
  const kept = found.filter((file) => !empty.has(file)).map(({ segment }) => segment.sequence);
  const used = [...kept, ...aside.map(({ name }) => setAsideSequence(name)), 0];
  return {
    segments,
    sent: sent.sort((a, b) => a.sentAtMs - b.sentAtMs),
    nextSequence: used.reduce((highest, sequence) => Math.max(highest, sequence)) + 1,
    setAsideBytes: aside.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

async function findSegments({ files, directory }: RecoveryDeps): Promise<FoundFile[]> {
  const found: FoundFile[] = [];
  for (const file of await files.list(directory)) {
    const segment = parseSegmentName(file.name);
    if (segment) found.push({ ...file, segment, path: join(directory, file.name) });
  }
  return found.sort((a, b) => a.segment.sequence - b.segment.sequence);
}

async function listSetAside({ files, directory }: RecoveryDeps): Promise<ListedFile[]> {
  const lists = [deadLetterDirectory, quarantineDirectory].map(async (name) => {
    try {
      return await files.list(join(directory, name));
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return [];
      throw error;
    }
  });
  return (await Promise.all(lists)).flat();
}

/** Empty when the file held nothing and is gone; undefined when there is nothing to offer, or it cannot be read and stays where it is. */
async function recoverSegment(
  deps: RecoveryDeps,
  file: FoundFile,
  isNewest: boolean,
): Promise<SegmentFacts | 'empty' | undefined> {
  const { files, counters, logger, identity } = deps;
  if (file.bytes > segmentFileBytesMax) {
    logger?.error({ file: file.name, bytes: file.bytes }, 'spool: a file larger than any segment was left alone');
    return undefined;
  }
  let bytes: Buffer;
  try {
    bytes = await readFileBytes(files, file.path);
  } catch (error) {
    logger?.error({ err: error, file: file.name }, 'spool: a segment could not be read and was left alone');
    return undefined;
  }
  const scan = scanSegment(bytes, { marker: identity.marker, sequence: file.segment.sequence });
  if (isOfNewerVersion(bytes, scan)) throw newerVersion(file.path);
  const id = segmentId(scan.header?.spoolId ?? identity.spoolId, scan.header ?? file.segment);
  const kept = await recordDamage(deps, id, bytes, scan.damage);
  const mayCut = kept === corruptBytes(scan.damage);
  if (scan.records.length === 0) {
    if (!mayCut) return undefined;
    await files.remove(file.path);
    return 'empty';
  }
  counters.recoveredRecords += scan.records.length;
  const isDurable = await makeDurable(deps, file, bytes, { end: mayCut ? scan.end : bytes.length, rewrite: isNewest });
  // However old it is: its sender may never have had an answer, and try again only now that somebody listens.
  if (isDurable) for (const { digest } of scan.records) deps.digests.restore(digest, deps.now());
  return factsOf(id, file, scan, identity);
}

/**
 * A record that the killed process had written may be in the page cache only, so it is synced before anybody is told
 * that it is there. The newest segment may have been through a failed fsync, after which the kernel holds pages for clean
 * that are not on disk: writing the same bytes once more makes them dirty again.
 */
async function makeDurable(
  { files, logger, counters }: RecoveryDeps,
  { path }: FoundFile,
  bytes: Buffer,
  { end, rewrite }: { end: number; rewrite: boolean },
): Promise<boolean> {
  let file: SpoolFile | undefined;
  try {
    file = await files.open(path);
    if (rewrite) await writeAll(file, [bytes.subarray(0, end)], 0);
    if (end < bytes.length) await file.truncate(end);
    await file.sync();
    return true;
  } catch (error) {
    counters.unsyncedSegments++;
    logger?.error({ err: error, file: path }, 'spool: a segment could not be synced; resends of it are not recognised');
    return false;
  } finally {
    await file?.close();
  }
}

function factsOf(id: string, file: FoundFile, scan: SegmentScan, identity: SpoolIdentity): SegmentFacts {
  const totals = new TableTotals();
  for (const { tables } of scan.records) totals.add(tables);
  return {
    id,
    sequence: (scan.header ?? file.segment).sequence,
    marker: (scan.header ?? identity).marker,
    path: file.path,
    bytes: scan.end,
    records: scan.records.length,
    firstTimeMs: scan.records[0]!.timeMs,
    tables: totals.list(),
  };
}

/** The digests of a segment that was sent, from its record headers alone unless one of them is damaged. */
async function restoreDigests(deps: RecoveryDeps, file: FoundFile): Promise<void> {
  const { files, digests, identity, logger, now, graceMs } = deps;
  if (now() - file.changedMs > graceMs || file.bytes > segmentFileBytesMax) return;
  try {
    const headers = (await recordHeaders(files, file, identity)) ?? (await scanFile(files, file, identity)).records;
    for (const { digest, timeMs } of headers) digests.restore(digest, timeMs);
  } catch (error) {
    logger?.warn({ err: error, file: file.name }, 'spool: resends of a sent segment are not recognised');
  }
}

async function scanFile(files: SpoolFiles, { path, segment }: FoundFile, identity: SpoolIdentity) {
  return scanSegment(await readFileBytes(files, path), { marker: identity.marker, sequence: segment.sequence });
}

/** All record headers of a file, without its payloads; undefined when there is damage among them. */
async function recordHeaders(
  files: SpoolFiles,
  { path, bytes }: FoundFile,
  identity: SpoolIdentity,
): Promise<{ digest: Buffer; timeMs: number }[] | undefined> {
  const file = await files.open(path);
  try {
    const headers: { digest: Buffer; timeMs: number }[] = [];
    let window = await readWindow(file, 0);
    let windowStart = 0;
    const marker = decodeSegmentHeader(window)?.marker ?? identity.marker;
    for (let offset = segmentHeaderBytes; offset < bytes; ) {
      if (offset + recordHeaderBytesMax > windowStart + window.length) {
        window = await readWindow(file, offset);
        windowStart = offset;
      }
      const record = decodeRecordHeader(window, offset - windowStart, marker);
      if (!record) return undefined;
      headers.push({ digest: Buffer.from(record.digest), timeMs: record.timeMs });
      offset += record.headerBytes + record.payloadBytes;
    }
    return headers;
  } finally {
    await file.close();
  }
}

async function readWindow(file: SpoolFile, offset: number): Promise<Buffer> {
  const window = Buffer.alloc(headerWindowBytes);
  return window.subarray(0, await file.read(window, offset));
}

function sentFile({ path, segment, bytes, changedMs }: FoundFile): SentFile {
  return { path, sequence: segment.sequence, bytes, sentAtMs: changedMs };
}

function corruptBytes(damage: readonly Damage[]): number {
  return damage.reduce((sum, { kind, start, end }) => (kind === 'corrupt' ? sum + end - start : sum), 0);
}

function isOfNewerVersion(bytes: Buffer, scan: SegmentScan): boolean {
  return (
    hasUnknownVersion(bytes) || scan.records.some(({ tables }) => tables.some(({ table }) => !isKnownTable(table)))
  );
}

function newerVersion(path: string): SpanwardenError {
  return new SpanwardenError({
    code: 'SW_DATA_DIR',
    message: `${path} was written by a newer version of Spanwarden`,
    advice: 'Start that version once, so that it sends the segment, or move the file out of the spool.',
  });
}
