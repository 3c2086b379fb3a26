import { createHash } from 'node:crypto';
import type { ExportEvent } from '../../model/export-event.ts';

/** How objects lie in a bucket. */
export interface Layout {
  /** The folder of an event, with a slash at its end, by when the collector took it in. */
  folderOf(takenMs: number): string;
  /** What stands behind the names of objects, with its dot. */
  readonly extension: string;
  /** The destination: two of them never write the same object. */
  readonly owner: string;
}

/**
 * The key of the object that holds these events: the folder of the first, its time, and a hash of the ids of all. The same events in the same
 * order have the same key, so what is sent again takes the place of itself, and nothing else.
 */
export function keyOf(events: readonly ExportEvent[], { folderOf, extension, owner }: Layout): string {
  const hash = createHash('sha256').update(owner);
  for (const { id } of events) hash.update('\n').update(id);
  const takenMs = events[0]?.takenMs ?? 0;
  const time = new Date(takenMs).toISOString().slice(0, 19).replace(/[-:]/g, '');
  return `${folderOf(takenMs)}${time}Z-${hash.digest('hex').slice(0, 32)}${extension}`;
}

/**
 * What events of one object have in common: their folder, and the stretch of time of the length that events wait for others. Stretches are those
 * of the clock, so that they are the same after a restart.
 */
export function partitionOf(takenMs: number, { folderOf }: Layout, lingerMs: number): string {
  return `${folderOf(takenMs)}${lingerMs > 0 ? Math.floor(takenMs / lingerMs) : ''}`;
}
