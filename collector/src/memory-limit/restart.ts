import process from 'node:process';
import { getHeapStatistics } from 'node:v8';
import type { MemoryPlan } from './plan.ts';

/** What the new process is told by, so that it does not do the same again. */
const mark = 'SPANWARDEN_HEAP_BOUNDED';
/** Room for new objects; V8 would take three times as much as this. */
const youngMegabytes = 16;
/**
 * How much the old space may grow until it is looked through again, which threads beside this one do. V8 by itself allows little of it under
 * load, so that this took a sixth of all CPU time. Near the bound it is what is left, at most half of it.
 */
const growingPercent = 100;
const mebibyte = 1024 * 1024;

/**
 * V8 takes the bound of its heap at the start of a process only, when nobody has read the config yet: so the process becomes
 * another one, of the same id, with the bound. Does not return then. False where that is not to be had, as on Windows.
 *
 * A bound that somebody gave to Node stays when it is lower.
 */
export function boundHeap({ heapBytesMax }: MemoryPlan): boolean {
  if (process.env[mark] !== undefined || getHeapStatistics().heap_size_limit <= heapBytesMax) {
    delete process.env[mark];
    return true;
  }
  if (typeof process.execve !== 'function' || process.platform === 'win32') return false;
  const flags = [
    `--max-old-space-size=${Math.floor(heapBytesMax / mebibyte)}`,
    `--max-semi-space-size=${youngMegabytes}`,
    `--heap-growing-percent=${growingPercent}`,
    '--expose-gc',
  ];
  const args = [process.execPath, ...process.execArgv, ...flags, ...process.argv.slice(1)];
  process.execve(process.execPath, args, { ...allocator, ...process.env, [mark]: '1' });
  return false;
}

/** Large buffers are given back to the system when they are freed, whatever was freed before; glibc would keep some. */
const allocator = { MALLOC_MMAP_THRESHOLD_: String(mebibyte), MALLOC_ARENA_MAX: '2' };
