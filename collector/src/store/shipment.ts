import type { RefusedRows, RowTableName, SealedSegment, SegmentTable } from '../model/spool.ts';
import type { StoreClient } from './client.ts';
import { classifyError, type StoreFailure } from './errors.ts';
import { columnTypes, insertRows } from './inserter.ts';
import { missingRows } from './landed.ts';
import { rowEnds } from './row-splitter.ts';

/** Rows of this many bytes are inserted at once; ClickHouse needs a few times that in memory. */
const insertBytesMax = 32 * 1024 * 1024;
/** Refused ranges of one segment that are looked into; with more, whole ranges are set aside as they are. */
const refusedRangesMax = 256;

/** What a shipment needs of the one who sends it. */
export interface Shipping {
  readonly client: StoreClient;
  /** Ends the insert that is under way. */
  readonly cut: AbortSignal;
  /** When this sender began, ms since the epoch: of older segments another one may have sent some. */
  readonly sinceMs: number;
  /** After a failure that may pass: true when it is to be tried again. */
  retry(failure: StoreFailure, attempt: number): Promise<boolean>;
  /** After each INSERT that worked. */
  inserted(table: RowTableName, rows: number, bytes: number): void;
  /** ClickHouse took rows for a repetition that it does not have; they are sent again. */
  restored(table: RowTableName, rows: number): void;
}

interface Sending extends Shipping {
  /** An insert that works may be one that was made before. */
  readonly isResumed: boolean;
}

/** Rows that are sent together, or apart when ClickHouse refuses them. */
interface Chunk extends SegmentTable {
  readonly token: string;
  /** Place of the first row in its segment. */
  readonly firstRow: number;
  readonly buffers: readonly Buffer[];
}

/**
 * Brings a segment's rows to ClickHouse, and finds those that it refuses: a refused INSERT is sent again in halves, down
 * to the row. Each INSERT is one block under a token of its own (segment, table, rows), which also comes again after a
 * crash; a whole one that was refused has left nothing behind. After one that may be a repetition its rows are looked for,
 * and sent again under another token if they are not there. Gives the refused rows, or 'aborted'.
 */
export async function shipSegment(
  segment: SealedSegment,
  shipping: Shipping,
): Promise<readonly RefusedRows[] | 'aborted'> {
  const refused: RefusedRows[] = [];
  const sending: Sending = { ...shipping, isResumed: segment.takenMs < shipping.sinceMs };
  for (const part of segment.tables) {
    const buffers = await segment.read(part.table);
    const chunks = await chunksOf(segment, part, buffers, sending);
    if (chunks === 'aborted') return 'aborted';
    for (const chunk of chunks) {
      if ((await shipChunk(chunk, refused, sending)) === 'aborted') return 'aborted';
    }
  }
  return refused;
}

async function shipChunk(chunk: Chunk, refused: RefusedRows[], shipping: Sending): Promise<'done' | 'aborted'> {
  const outcome = await send(chunk, shipping);
  if (outcome === 'aborted') return 'aborted';
  if (outcome === undefined) {
    shipping.inserted(chunk.table, chunk.rows, chunk.bytes);
    return 'done';
  }
  const whole = await splitIntoRows(chunk, shipping);
  if (whole === 'aborted') return 'aborted';
  for (const range of whole.garbage) refused.push({ ...rowsOf(range), reason: outcome.reason });
  return sendInHalves(whole.rows, refused, shipping);
}

/** Depth first, so that rows land in order. */
async function sendInHalves(rows: readonly Chunk[], refused: RefusedRows[], shipping: Sending) {
  const ranges: Chunk[][] = rows.length === 0 ? [] : [[...rows]];
  while (ranges.length > 0) {
    const range = ranges.pop()!;
    const joined = join(range);
    const outcome = await send(joined, shipping);
    if (outcome === 'aborted') return 'aborted';
    if (outcome === undefined) shipping.inserted(joined.table, joined.rows, joined.bytes);
    else if (range.length === 1 || refused.length >= refusedRangesMax) {
      refused.push({ ...rowsOf(joined), reason: outcome.reason });
    } else {
      const half = range.length >>> 1;
      ranges.push(range.slice(half), range.slice(0, half));
    }
  }
  return 'done';
}

/** Undefined when it landed, the failure when it is for good. */
async function send(chunk: Chunk, shipping: Sending): Promise<StoreFailure | 'aborted' | undefined> {
  for (let attempt = 0; ; attempt++) {
    const failure = await insertRows(shipping.client, chunk, shipping.cut);
    if (failure === undefined) return attempt > 0 || shipping.isResumed ? sendMissing(chunk, shipping) : undefined;
    if (failure.kind === 'permanent') return failure;
    if (!(await shipping.retry(failure, attempt))) return 'aborted';
  }
}

/** After an insert that ClickHouse may have taken for a repetition: what is not there is sent under a token of its own. */
async function sendMissing(chunk: Chunk, shipping: Sending): Promise<StoreFailure | 'aborted' | undefined> {
  const whole = await splitIntoRows(chunk, shipping);
  if (whole === 'aborted') return whole;
  // What cannot be told apart cannot be looked for.
  if (whole.rows.length !== chunk.rows) return undefined;
  const missing = await missingOf(chunk, whole, shipping);
  if (missing === 'aborted') return missing;
  if (missing.length === 0) return undefined;
  shipping.restored(chunk.table, missing.length);
  return send({ ...join(missing), token: `${chunk.token}:again` }, { ...shipping, isResumed: false });
}

async function missingOf(chunk: Chunk, { rows, types }: Split, shipping: Shipping): Promise<Chunk[] | 'aborted'> {
  const ranges = rows.map(({ buffers }) => ({ bytes: buffers[0]!, start: 0 }));
  for (let attempt = 0; ; attempt++) {
    try {
      const missing = await missingRows(shipping.client, chunk, ranges, types);
      return rows.filter((_, index) => missing.has(index));
    } catch (error) {
      if (!(await shipping.retry(classifyError(error), attempt))) return 'aborted';
    }
  }
}

/** A chunk taken apart. */
interface Split {
  readonly rows: readonly Chunk[];
  readonly garbage: readonly Chunk[];
  /** Of the columns, as the server has them. */
  readonly types: readonly string[];
}

/** The rows one by one, and what cannot be read as rows. */
async function splitIntoRows(chunk: Chunk, shipping: Shipping): Promise<Split | 'aborted'> {
  const types = await typesOf(chunk, shipping);
  if (types === 'aborted') return 'aborted';
  const bytes = Buffer.concat(chunk.buffers);
  const ends = rowEnds(bytes, chunk.rows, types);
  if (ends === undefined) return { rows: [chunk], garbage: [], types };
  const rows = ends.map((end, index) => slice(chunk, bytes, { start: ends[index - 1] ?? 0, end }, index, 1));
  const start = ends.at(-1) ?? 0;
  const left = chunk.rows - ends.length;
  if (start === bytes.length && left === 0) return { rows, garbage: [], types };
  return { rows, garbage: [slice(chunk, bytes, { start, end: bytes.length }, ends.length, left)], types };
}

async function typesOf({ table, columns }: Chunk, shipping: Shipping): Promise<readonly string[] | 'aborted'> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await columnTypes(shipping.client, table, columns);
    } catch (error) {
      if (!(await shipping.retry(classifyError(error), attempt))) return 'aborted';
    }
  }
}

/** One chunk for all, unless that were too many bytes: then cut between rows, always at the same ones. */
async function chunksOf(
  segment: SealedSegment,
  part: SegmentTable,
  buffers: readonly Buffer[],
  shipping: Shipping,
): Promise<readonly Chunk[] | 'aborted'> {
  const whole: Chunk = { ...part, token: `${segment.id}:${part.table}`, firstRow: 0, buffers };
  if (part.bytes <= insertBytesMax) return [whole];
  const split = await splitIntoRows(whole, shipping);
  if (split === 'aborted') return 'aborted';
  const chunks: Chunk[] = [];
  let range: Chunk[] = [];
  let bytes = 0;
  for (const row of [...split.rows, ...split.garbage]) {
    if (range.length > 0 && bytes + row.bytes > insertBytesMax) {
      chunks.push(join(range));
      range = [];
      bytes = 0;
    }
    range.push(row);
    bytes += row.bytes;
  }
  if (range.length > 0) chunks.push(join(range));
  return chunks;
}

function slice(
  chunk: Chunk,
  bytes: Buffer,
  { start, end }: { readonly start: number; readonly end: number },
  index: number,
  rows: number,
): Chunk {
  const { table, columns } = chunk;
  const firstRow = chunk.firstRow + index;
  const token = tokenOf(chunk.token, firstRow, rows);
  return { table, columns, token, firstRow, rows, bytes: end - start, buffers: [bytes.subarray(start, end)] };
}

/** Neighbouring rows as one chunk. */
function join(range: readonly Chunk[]): Chunk {
  const [first] = range as [Chunk];
  if (range.length === 1) return first;
  const rows = range.reduce((sum, each) => sum + each.rows, 0);
  return {
    ...first,
    token: tokenOf(first.token, first.firstRow, rows),
    rows,
    bytes: range.reduce((sum, each) => sum + each.bytes, 0),
    buffers: range.flatMap((each) => each.buffers),
  };
}

/** `<segment>:<table>`, and which rows of it when they are not all. */
function tokenOf(token: string, firstRow: number, rows: number): string {
  const [segment, table] = token.split(':');
  return `${segment}:${table}:${firstRow}+${rows}`;
}

function rowsOf({ table, columns, rows, firstRow, buffers }: Chunk): Omit<RefusedRows, 'reason'> {
  return { table, columns, rows, firstRow, bytes: buffers.length === 1 ? buffers[0]! : Buffer.concat(buffers) };
}
