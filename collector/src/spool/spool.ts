import { randomBytes } from 'node:crypto';
import { SpanwardenError } from '../model/errors.ts';
import { limits } from '../model/limits.ts';
import { type Outcome, ok } from '../model/outcome.ts';
import { Rooms, type RoomsBounds } from '../model/rooms.ts';
import type { RefusedRows, RowTableName, SealedSegment } from '../model/spool.ts';
import { Committer, retryAfterMs } from './committer.ts';
import type {
  AppendOutcome,
  OriginalTail,
  Spool,
  SpoolBatch,
  SpoolOptions,
  SpoolStats,
  SpoolTail,
  StoredJournal,
} from './contract.ts';
import { newCounters, type SpoolCounters } from './counters.ts';
import { DigestWindow } from './digests.ts';
import { nodeFiles, type SpoolFiles } from './files.ts';
import { digestBytes, prepareRecord, recordsPerSegmentMax, type SegmentHeader } from './format.ts';
import { loadIdentity, type SpoolIdentity } from './identity.ts';
import { readJournals } from './journals.ts';
import { acquireLock, type SpoolLock } from './lock.ts';
import { segmentId } from './names.ts';
import { SegmentOriginals } from './originals.ts';
import { recordDamage } from './quarantine.ts';
import { recover } from './recovery.ts';
import { DiskReserve } from './reserve.ts';
import type { SegmentWriter } from './segment-writer.ts';
import { SegmentShelf } from './shelf.ts';
import { type SegmentFacts, StoredSegment } from './stored-segment.ts';
import { DiskTail } from './tail.ts';

/** What a test puts in the place of the machine. */
export interface SpoolMachine {
  readonly files: SpoolFiles;
  readonly lock: (directory: string) => Promise<SpoolLock>;
}

const machine: SpoolMachine = { files: nodeFiles, lock: acquireLock };
const pruneIntervalMsMax = 5_000;
/** For the segment that the store reads; as large as most are. */
const storeRoom: RoomsBounds = { sparesMax: 1, spareBytesMax: 16 * 1024 * 1024 };
/** One is what the store is at. */
const behindSegmentsMin = 2;
/** Rows of all tables in one record; the format counts tables, the journal and the request in one byte. */
const rowsPerBatchMax = 253;
/** Without a reserve, so much disk space is made free when the disk is full. */
const roomBytes = 64 * 1024 * 1024;

/**
 * Opens the spool in a directory, which is made when it is missing, and recovers what an earlier run left in it.
 * Reads every unsent segment once, so it takes as long as reading them. Throws SpanwardenError SW_DATA_DIR when another
 * process uses the directory, when it cannot be used at all, or when a newer version wrote it.
 */
export async function openSpool(options: SpoolOptions, on: SpoolMachine = machine): Promise<Spool> {
  try {
    await on.files.ensureDirectory(options.directory);
    const lock = await on.lock(options.directory);
    try {
      return await openLocked(options, on.files, lock);
    } catch (error) {
      await lock.release();
      throw error;
    }
  } catch (error) {
    if (error instanceof SpanwardenError) throw error;
    throw new SpanwardenError({
      code: 'SW_DATA_DIR',
      message: `The spool in ${options.directory} cannot be opened: ${(error as Error).message}`,
      advice: 'Make the data directory readable and writable for the collector, or choose another one.',
    });
  }
}

async function openLocked(options: SpoolOptions, files: SpoolFiles, lock: SpoolLock): Promise<Spool> {
  const { directory, graceMs, logger } = options;
  const now = options.now ?? Date.now;
  const counters = newCounters();
  const identity = await loadIdentity(files, directory);
  const digests = new DigestWindow({ ageMaxMs: graceMs, now });
  const found = await recover({ files, directory, identity, digests, counters, logger, now, graceMs });
  const spool = new DiskSpool({ options, files, lock, identity, digests, counters, now }, found.nextSequence);
  await spool.restore(found);
  return spool;
}

interface SpoolParts {
  readonly options: SpoolOptions;
  readonly files: SpoolFiles;
  readonly lock: SpoolLock;
  readonly identity: SpoolIdentity;
  readonly digests: DigestWindow;
  readonly counters: SpoolCounters;
  readonly now: () => number;
}

class DiskSpool implements Spool {
  readonly #parts: SpoolParts;
  readonly #shelf: SegmentShelf;
  readonly #rooms = new Rooms(storeRoom);
  readonly #committer: Committer;
  readonly #reserve: DiskReserve;
  readonly #sentBytesMax: number;
  readonly #pruneTimer: NodeJS.Timeout;
  readonly #tails: (DiskTail | SegmentOriginals)[] = [];
  #nextSequence: number;
  #isFull = false;
  #closed: Promise<void> | undefined;

  constructor(parts: SpoolParts, nextSequence: number) {
    this.#parts = parts;
    this.#nextSequence = nextSequence;
    const { options, files, lock, counters, now } = parts;
    const { directory, graceMs } = options;
    const logger = options.logger;
    this.#sentBytesMax = options.sentBytesMax ?? Math.floor(options.bytesMax / 8);
    this.#shelf = new SegmentShelf({
      ...{ files, directory, counters, logger, now, graceMs },
      sentBytesMax: this.#sentBytesMax,
      keepFrom: options.keepFrom ?? Number.POSITIVE_INFINITY,
      hold: options.hold,
    });
    this.#reserve = new DiskReserve({ files, directory, logger, bytes: options.reserveBytes ?? 0 });
    this.#committer = new Committer({
      ...{ files, directory, lock, counters, logger, now },
      segmentBytesMax: options.segmentBytesMax,
      segmentAgeMaxMs: options.segmentAgeMaxMs,
      isBehind: () => this.#shelf.waitingSegments >= behindSegmentsMin,
      newHeader: () => this.#newHeader(),
      onDiskFull: () => this.#giveUpSpace(),
      onSealed: (writer) => this.#addSegment(factsOf(writer)),
      onCommitted: (sequence, records) => {
        for (const tail of this.#tails) tail.committed(sequence, records);
      },
    });
    const intervalMs = Math.max(1000, Math.min(graceMs, pruneIntervalMsMax));
    this.#pruneTimer = setInterval(() => void this.#tidyUp(), intervalMs).unref();
  }

  get id(): string {
    return this.#parts.identity.spoolId;
  }

  async restore(found: Awaited<ReturnType<typeof recover>>): Promise<void> {
    this.#shelf.setAsideBytes = found.setAsideBytes;
    for (const facts of found.segments) this.#addSegment(facts);
    for (const file of found.sent) this.#shelf.addSent(file);
    await this.#reserve.open();
    await this.#shelf.prune();
  }

  async #tidyUp(): Promise<void> {
    await this.#shelf.prune();
    if (this.#reserve.isReleased) await this.#committer.seal();
    await this.#reserve.restore();
  }

  async #giveUpSpace(): Promise<void> {
    await this.#reserve.release();
    await this.#shelf.makeRoom(Math.max(this.#reserve.roomBytes, roomBytes));
  }

  async append(batch: SpoolBatch): Promise<AppendOutcome> {
    if (batch.digest.length !== digestBytes) throw new Error(`a batch digest has ${digestBytes} bytes`);
    if (batch.rows.length > rowsPerBatchMax) throw new Error('a batch has rows for more tables than there are');
    const { counters, digests, now } = this.#parts;
    const known = digests.find(batch.digest);
    if (known) {
      counters.duplicateRecords++;
      return { ...(await known), duplicate: true };
    }
    if (this.#closed) return shuttingDown;
    const others = (batch.journal?.length ?? 0) + (batch.original?.bytes.length ?? 0);
    const bytes = batch.rows.reduce((sum, rows) => sum + rows.bytes.length, others);
    if (bytes === 0) return ok;
    const refused = this.refusal(bytes);
    if (refused) return refused;
    const record = prepareRecord(batch, Math.max(0, Math.trunc(now())), this.#parts.options.columns);
    return digests.track(batch.digest, this.#committer.submit(record));
  }

  journals(fromSegment: number): AsyncIterable<StoredJournal> {
    const { files, identity, options } = this.#parts;
    return readJournals({ files, directory: options.directory, identity, logger: options.logger }, fromSegment);
  }

  keepFrom(segment: number): void {
    this.#shelf.keepFrom(segment);
  }

  tail(tables: readonly RowTableName[]): SpoolTail {
    const { files, identity, options } = this.#parts;
    const tail = new DiskTail({
      ...{ files, identity, tables, directory: options.directory, logger: options.logger },
      recentBytesMax: options.tailBytesMax ?? limits.spoolTailBytesMax,
      newest: this.#nextSequence * recordsPerSegmentMax - 1,
    });
    this.#tails.push(tail);
    return tail;
  }

  originals(): OriginalTail {
    const { files, identity, options } = this.#parts;
    const newest = this.#nextSequence * recordsPerSegmentMax - 1;
    const tail = new SegmentOriginals(
      { files, identity, directory: options.directory, logger: options.logger },
      newest,
    );
    this.#tails.push(tail);
    return tail;
  }

  holdFrom(segment: number): void {
    this.#shelf.holdFrom(segment);
  }

  committed(digest: Uint8Array): Promise<Outcome> | undefined {
    return this.#parts.digests.find(digest);
  }

  next(signal: AbortSignal): Promise<SealedSegment | undefined> {
    return this.#shelf.next(signal);
  }

  sent(segment: SealedSegment): Promise<void> {
    return this.#shelf.sent(segment);
  }

  deadLetter(segment: SealedSegment, refused: readonly RefusedRows[]): Promise<void> {
    return this.#shelf.deadLetter(segment, refused);
  }

  seal(): Promise<void> {
    return this.#committer.seal();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  stats(): SpoolStats {
    const { counters, now } = this.#parts;
    const open = this.#committer.open;
    const oldestMs = this.#shelf.oldestTimeMs ?? open?.firstTimeMs;
    return {
      segments: this.#shelf.waitingSegments + (open ? 1 : 0),
      bytes: this.#unsentBytes(),
      oldestAgeMs: oldestMs === undefined ? 0 : Math.max(0, now() - oldestMs),
      pendingRecords: this.#committer.pendingRecords,
      pendingBytes: this.#committer.pendingBytes,
      sentKeptSegments: this.#shelf.sentSegments,
      sentKeptBytes: this.#shelf.sentBytes,
      journalKeptBytes: this.#shelf.journalBytes,
      heldBytes: this.#shelf.heldBytes,
      setAsideBytes: this.#shelf.setAsideBytes,
      reserveReleased: this.#reserve.isReleased,
      ...counters,
    };
  }

  async #close(): Promise<void> {
    await this.#committer.close();
    clearInterval(this.#pruneTimer);
    for (const tail of this.#tails) if (tail instanceof SegmentOriginals) await tail.close().catch(() => undefined);
    await this.#shelf.close();
    await this.#parts.lock.release();
  }

  refusal(bytes: number): AppendOutcome | undefined {
    const { counters, options } = this.#parts;
    if (this.#closed) return shuttingDown;
    if (bytes > limits.spoolRecordBytesMax) {
      counters.refusedTooLargeRecords++;
      return { status: 'permanent', reason: `SW_SPOOL_WRITE: a batch of ${bytes} bytes is too large for the spool` };
    }
    const failed = this.#committer.refusal();
    if (failed) return failed;
    if (this.#reserve.isReleased) {
      counters.refusedFullRecords++;
      return { status: 'retryable', reason: 'SW_SPOOL_FULL: the disk of the spool is full', retryAfterMs };
    }
    const pending = this.#committer.pendingBytes;
    if (pending > 0 && pending + bytes > options.pendingBytesMax) {
      counters.refusedFullRecords++;
      return { status: 'retryable', reason: 'SW_SPOOL_FULL: too many bytes wait for the disk', retryAfterMs };
    }
    const used = this.#unsentBytes() + this.#shelf.setAsideBytes + pending + bytes;
    if (used > options.bytesMax - this.#sentBytesMax) {
      counters.refusedFullRecords++;
      this.#noteFull(used);
      return { status: 'retryable', reason: 'SW_SPOOL_FULL: the spool holds all it may', retryAfterMs };
    }
    this.#isFull = false;
    return undefined;
  }

  /** One line per episode. */
  #noteFull(bytes: number): void {
    if (this.#isFull) return;
    this.#isFull = true;
    this.#parts.options.logger?.error({ bytes }, 'spool: full; senders are told to try again until segments are sent');
  }

  #unsentBytes(): number {
    return this.#shelf.waitingBytes + (this.#committer.open?.bytes ?? 0);
  }

  #newHeader(): SegmentHeader {
    return { ...this.#parts.identity, sequence: this.#nextSequence++, salt: randomBytes(4).toString('hex') };
  }

  #addSegment(facts: SegmentFacts): void {
    const { files, counters, options } = this.#parts;
    const deps = { files, directory: options.directory, counters, logger: options.logger };
    const segment = new StoredSegment(facts, files, this.#rooms, async ({ id }, bytes, damage) => {
      this.#shelf.setAsideBytes += await recordDamage(deps, id, bytes, damage);
    });
    this.#shelf.add(segment);
  }
}

const shuttingDown: AppendOutcome = Object.freeze({
  status: 'retryable',
  reason: 'SW_SHUTTING_DOWN: the collector is stopping',
  retryAfterMs,
});

function factsOf(writer: SegmentWriter): SegmentFacts {
  const { header, path, bytes, records, firstTimeMs, totals } = writer;
  const { sequence, marker } = header;
  const id = segmentId(header.spoolId, header);
  return { id, sequence, marker, path, bytes, records, firstTimeMs, tables: totals.list() };
}
