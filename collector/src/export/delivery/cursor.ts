import { createHash } from 'node:crypto';
import { limits } from '../../model/limits.ts';
import type { DeliveryFiles } from './files.ts';

export const cursorFile = 'cursor.json';

/** How far a destination has come. */
export interface Cursor {
  /** Everything of records up to here is settled: delivered, refused and noted, or not asked for. */
  readonly position: number;
  /** Ids of events of later records that are settled, too. */
  readonly ahead: readonly string[];
  /** Dead letters that found no place in the file, ever. */
  readonly overflowed: number;
}

export type CursorReading =
  | { readonly status: 'ok'; readonly cursor: Cursor }
  | { readonly status: 'none' }
  /** Moved out of the way under the name that is given. */
  | { readonly status: 'damaged'; readonly reason: string; readonly movedTo: string };

const version = 1;
const idPattern = /^[0-9A-Za-z._:-]{1,128}$/;

/** Reads the cursor of a destination. A file that is no cursor is set aside. Rejects when the disk refuses. */
export async function readCursor(files: DeliveryFiles, nowMs: number): Promise<CursorReading> {
  const content = await files.read(cursorFile);
  if (content === undefined) return { status: 'none' };
  const decoded = decodeCursor(content);
  if (typeof decoded !== 'string') return { status: 'ok', cursor: decoded };
  return { status: 'damaged', reason: decoded, movedTo: await setAside(files, nowMs) };
}

/** Puts the cursor away for somebody to look at; the newest one replaces none. Gives its name. */
export async function setAside(files: DeliveryFiles, nowMs: number): Promise<string> {
  const movedTo = `cursor.${new Date(nowMs).toISOString().replaceAll(/[:.]/g, '')}.damaged`;
  await files.rename(cursorFile, movedTo);
  return movedTo;
}

export function encodeCursor({ position, ahead, overflowed }: Cursor): Buffer {
  const content = { version, position, ahead, overflowed };
  return Buffer.from(`${JSON.stringify({ ...content, check: checkOf(content) })}\n`);
}

/** The cursor, or what is wrong with the bytes. */
export function decodeCursor(bytes: Buffer): Cursor | string {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    return 'it is not JSON';
  }
  if (typeof value !== 'object' || value === null) return 'it is not an object';
  const { check, ...content } = value as Record<string, unknown>;
  if (typeof content.version === 'number' && content.version > version) return 'it is of a newer version of Spanwarden';
  if (check !== checkOf(content)) return 'its checksum does not fit';
  const { position, ahead, overflowed } = content;
  if (!isCount(overflowed) || typeof position !== 'number' || !Number.isSafeInteger(position) || position < -1)
    return 'its numbers are out of range';
  if (!Array.isArray(ahead) || ahead.length > limits.exportWindowEventsMax || !ahead.every(isId))
    return 'its list of events is none';
  return { position, ahead, overflowed };
}

function checkOf(content: object): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 16);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && idPattern.test(value);
}
