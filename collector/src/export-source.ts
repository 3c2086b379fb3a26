import { setTimeout as sleep } from 'node:timers/promises';
import { EventMaker } from './export/events.ts';
import type { EventSource, SourcedEvents, SourceRead } from './export/source.ts';
import type { Case } from './model/case.ts';
import type { ExportEvent } from './model/export-event.ts';
import type { Finding } from './model/finding.ts';
import type { RowTableName } from './model/spool.ts';
import type { SpoolTail, TailRecord } from './spool/contract.ts';
import { recordsPerSegmentMax } from './spool/format.ts';
import { segmentAfter } from './spool/tail.ts';
import type { Backlog, BacklogRange } from './store/backlog.ts';
import { decodeCases } from './store/rows/cases.ts';
import { decodeFindings } from './store/rows/findings.ts';

/** What the events are made of. */
export const exportedTables: readonly RowTableName[] = ['findings', 'cases'];

export interface ExportSourceOptions {
  /** Of `exportedTables`. */
  readonly tail: SpoolTail;
  readonly spoolId: string;
  /** What the store has of segments that are no longer on disk. Rejects while it cannot be asked. */
  readonly backlog: (range: BacklogRange) => Promise<Backlog>;
  readonly logger: { warn(fields: object, message: string): void };
  /** The first pause after the store could not be asked, in milliseconds; doubles up to 32 times itself. */
  readonly pauseMs?: number;
}

const pauseDefaultMs = 1_000;

/**
 * Findings and cases in the order in which they went into the spool: from there as long as it has them, from ClickHouse when it has
 * let go of them. A position is a record's; what comes from ClickHouse stands at the end of its segment, so that one who was in the
 * middle of a segment gets all of it again.
 */
export class ExportSource implements EventSource {
  readonly #options: ExportSourceOptions;
  readonly #maker = new EventMaker();
  /** Several destinations read the same records. */
  readonly #made = new WeakMap<TailRecord, SourcedEvents | 'damaged'>();
  /**
   * ClickHouse keeps the newest row of a case, which need not be the one that called for attention. One who reads there misses that
   * row, and so he may up to where the stream stood then; before a restart he may have read there.
   */
  #lackUntil: number;
  waiting: string | undefined;

  constructor(options: ExportSourceOptions) {
    this.#options = options;
    this.#lackUntil = options.tail.newest;
  }

  get head(): number {
    return this.#options.tail.newest;
  }

  async read(after: number, signal: AbortSignal): Promise<SourceRead | undefined> {
    const read = await this.#options.tail.read(after, signal);
    if (read === undefined) return undefined;
    if (read.status === 'gone') return this.#fromStore(after, read.through, signal);
    const made = read.records.map((record) => this.#eventsOf(record));
    const batch = withoutRepeats(made.filter((each) => each !== 'damaged'));
    return { batch, through: read.through, lost: made.filter((each) => each === 'damaged').length };
  }

  #eventsOf(record: TailRecord): SourcedEvents | 'damaged' {
    const { position, timeMs } = record;
    const mayLack = position <= this.#lackUntil;
    let made = mayLack ? undefined : this.#made.get(record);
    if (made === undefined) {
      const found = decoded(record);
      made =
        found === undefined ? 'damaged' : { position, events: this.#maker.events(position, timeMs, found, mayLack) };
      if (made === 'damaged') this.#options.logger.warn({ position }, 'export: rows of another version are left out');
      if (!mayLack) this.#made.set(record, made);
    }
    return made;
  }

  async #fromStore(after: number, through: number, signal: AbortSignal): Promise<SourceRead | undefined> {
    const { backlog, spoolId, logger, pauseMs = pauseDefaultMs } = this.#options;
    const range = { spoolId, fromSegment: segmentAfter(after), throughSegment: segmentAfter(through) - 1 };
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        this.#lackUntil = this.#options.tail.newest;
        const { segments, throughSegment } = await backlog(range);
        this.waiting = undefined;
        const batch = segments.map(({ segment, insertedMs, ...found }) => {
          const position = endOf(segment);
          return { position, events: this.#maker.events(position, insertedMs, found, true) };
        });
        return {
          batch: withoutRepeats(batch),
          through: Math.min(through, endOf(throughSegment)),
          lost: 0,
        };
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        if (this.waiting === undefined) {
          logger.warn({ err: error, ...range }, 'export: findings of before cannot be read from ClickHouse yet');
        }
        this.waiting = `ClickHouse cannot be asked for findings that the spool no longer has: ${reason}`;
        await sleep(pauseMs * 2 ** Math.min(attempt, 5), undefined, { signal }).catch(() => undefined);
      }
    }
    return undefined;
  }
}

/** Records that have events, each event once: rows of a case may stand for the same one. */
function withoutRepeats(batch: readonly SourcedEvents[]): SourcedEvents[] {
  const ids = new Set<string>();
  const isFirst = ({ kind, id }: ExportEvent) => ids.size < ids.add(`${kind} ${id}`).size;
  return batch
    .map(({ position, events }) => ({ position, events: events.filter(isFirst) }))
    .filter(({ events }) => events.length > 0);
}

/** The last position in a segment. */
function endOf(segment: number): number {
  return (segment + 1) * recordsPerSegmentMax - 1;
}

/** Undefined for rows with other columns than ours. */
function decoded({ tables }: TailRecord): { findings: Finding[]; cases: Case[] } | undefined {
  const found = { findings: [] as Finding[], cases: [] as Case[] };
  try {
    for (const { table, bytes, columns } of tables) {
      if (table === 'findings') found.findings.push(...decodeFindings(bytes, columns || undefined));
      if (table === 'cases') found.cases.push(...decodeCases(bytes, columns || undefined));
    }
    return found;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
