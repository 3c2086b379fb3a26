import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { type FileHandle, link, open, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { SpanwardenError } from '../model/errors.ts';
import { errorCode, ignoreMissing } from './files.ts';

/** Keeps two processes from writing to one spool. */
export interface SpoolLock {
  /** False when somebody took the lock away, which can only be a mistake of theirs; nothing may be written then. */
  isHeld(): Promise<boolean>;
  release(): Promise<void>;
}

/** Who holds a lock, exactly enough to tell a live holder from a process that got the same number later. */
interface Holder {
  readonly pid: number;
  /** Start time of the process in kernel ticks; '' where the system does not tell. */
  readonly started: string;
  readonly boot: string;
  readonly pidNamespace: string;
  readonly host: string;
}

const lockName = 'lock';
const heartbeatMs = 10_000;
/** A holder whose process cannot be seen from here counts as dead when its heartbeat is this old. */
const heartbeatAgeMaxMs = 3 * heartbeatMs;
const attemptsMax = 50;
const attemptPauseMs = 20;

/**
 * Takes the lock of a directory, also from a holder that died without giving it back.
 * Throws SpanwardenError SW_DATA_DIR when a live process holds it.
 */
export async function acquireLock(directory: string): Promise<SpoolLock> {
  const path = join(directory, lockName);
  const mine = join(directory, `${lockName}.${process.pid}.${randomBytes(4).toString('hex')}`);
  await writeFile(mine, `${JSON.stringify(holderOf(process.pid))}\n`, { mode: 0o600, flag: 'wx' });
  try {
    // link() puts the whole content there in one step, or fails when there is a lock already.
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      if (await linked(mine, path)) return await heldLock(path);
      await removeStale(path, mine);
    }
  } finally {
    await unlink(mine).catch(ignoreMissing);
  }
  throw lockedBy(path, 'another process');
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

async function heldLock(path: string): Promise<SpoolLock> {
  const handle = await open(path, 'r+');
  const { ino } = await handle.stat();
  const timer = setInterval(() => beat(handle), heartbeatMs).unref();
  const isHeld = async () => (await stat(path).catch(() => undefined))?.ino === ino;
  let released: Promise<void> | undefined;
  const release = async () => {
    clearInterval(timer);
    if (await isHeld()) await unlink(path).catch(ignoreMissing);
    await handle.close();
  };
  return { isHeld, release: () => (released ??= release()) };
}

function beat(handle: FileHandle): void {
  const now = new Date();
  handle.utimes(now, now).catch(() => undefined);
}

/**
 * Removes the lock when its holder is dead; throws when it lives. One starter at a time may look: else two could judge
 * the same lock stale, and the slower one remove what the faster one has put in its place.
 */
async function removeStale(path: string, mine: string): Promise<void> {
  const guard = `${path}.takeover`;
  if (!(await linked(mine, guard))) {
    await removeAbandoned(guard);
    await setTimeout(attemptPauseMs);
    return;
  }
  try {
    const seen = await readLock(path);
    if (!seen) return;
    const holder = parseHolder(seen.text);
    if (holder && isAlive(holder, seen.beatMs)) throw lockedBy(path, `process ${holder.pid} on ${holder.host}`);
    await unlink(path);
  } finally {
    await unlink(guard).catch(ignoreMissing);
  }
}

/** A guard is held for milliseconds; an old one is of a starter that died. */
async function removeAbandoned(guard: string): Promise<void> {
  try {
    if (Date.now() - (await stat(guard)).mtimeMs > heartbeatAgeMaxMs) await unlink(guard);
  } catch (error) {
    ignoreMissing(error);
  }
}

async function readLock(path: string): Promise<{ text: string; beatMs: number } | undefined> {
  try {
    const { mtimeMs } = await stat(path);
    return { text: await readFile(path, 'utf8'), beatMs: mtimeMs };
  } catch (error) {
    ignoreMissing(error);
    return undefined;
  }
}

function parseHolder(text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text) as Holder | null;
    return Number.isSafeInteger(holder?.pid) && holder!.pid > 0 ? holder! : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(holder: Holder, beatMs: number): boolean {
  const me = holderOf(process.pid);
  if (holder.host === me.host && holder.boot !== me.boot) return false;
  if (holder.boot !== me.boot || holder.pidNamespace !== me.pidNamespace) {
    return Date.now() - beatMs < heartbeatAgeMaxMs;
  }
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if (errorCode(error) === 'ESRCH') return false;
  }
  return startOf(holder.pid) === holder.started;
}

function holderOf(pid: number): Holder {
  return {
    pid,
    started: startOf(pid),
    boot: textOf('/proc/sys/kernel/random/boot_id').trim(),
    pidNamespace: linkOf('/proc/self/ns/pid'),
    host: hostname(),
  };
}

/**
 * Field 22 of /proc/<pid>/stat, '' for a process that ended and was not waited for. The command before the fields stands
 * in brackets and may itself contain some.
 */
function startOf(pid: number): string {
  const text = textOf(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? '' : (fields[19] ?? '');
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function lockedBy(path: string, holder: string): SpanwardenError {
  return new SpanwardenError({
    code: 'SW_DATA_DIR',
    message: `The spool is in use: ${holder} holds ${path}`,
    advice: 'Stop the other collector, or give this one a data directory of its own.',
  });
}
