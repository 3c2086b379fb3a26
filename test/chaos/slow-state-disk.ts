// Preloaded into a collector by `--import`: its checkpoints lie on a disk that takes so many bytes a second. What is written is in memory
// at once, as with any disk; syncing it takes its time.
import { readlinkSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

const bytesPerSecond = Number(process.env.SPANWARDEN_TEST_DISK_SPEED);
const own = await open(process.execPath);
const handle = Object.getPrototypeOf(own) as FileHandle;
await own.close();
const { writev, datasync } = handle;
const unsynced = new WeakMap<object, number>();

handle.writev = async function (buffers, position) {
  const result = await (writev as typeof handle.writev<typeof buffers>).call(this, buffers, position);
  unsynced.set(this, (unsynced.get(this) ?? 0) + result.bytesWritten);
  return result;
};

handle.datasync = async function () {
  const isState = readlinkSync(`/proc/self/fd/${this.fd}`).includes('/state/');
  const bytes = unsynced.get(this) ?? 0;
  unsynced.delete(this);
  if (isState) await sleep((bytes / bytesPerSecond) * 1000);
  return datasync.call(this);
};
