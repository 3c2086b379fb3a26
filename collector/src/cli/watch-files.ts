import { existsSync, type FSWatcher, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import { watchSignals } from './signals.ts';

/** Editors write a file in several steps; what comes together is one change. */
const settleMs = 100;

/**
 * Calls `act` at once, and again after every change of a YAML file in the folders or beside the files, until a signal.
 * Rejects with what `act` throws.
 */
export async function onChange(paths: readonly string[], act: () => void): Promise<void> {
  const signals = watchSignals();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const run = (): void => {
    try {
      act();
    } catch (error) {
      reject(error);
    }
  };
  // Watching starts before the first run, so that no change falls between the two.
  const close = watchYaml(paths, run, reject);
  signals.interrupted.addEventListener('abort', () => resolve());
  try {
    run();
    await promise;
  } finally {
    close();
    signals.unwatch();
  }
}

/** Calls `changed` after changes of YAML files in the folders or beside the files, until what it gives is called. */
export function watchYaml(paths: readonly string[], changed: () => void, failed: (error: unknown) => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const watchers = watchedFolders(paths).map(({ folder, recursive }): FSWatcher => {
    const watcher = watch(folder, { recursive }, (_event, name) => {
      if (name !== null && !/\.ya?ml$/.test(name)) return;
      clearTimeout(timer);
      timer = setTimeout(changed, settleMs);
    });
    return watcher.on('error', failed);
  });
  return () => {
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
  };
}

/**
 * A file is watched through its folder: editors replace files, and a watched inode would be gone. What is below that folder is not
 * looked at: the data directory often stands beside the config, and each of its many files would be.
 */
function watchedFolders(paths: readonly string[]): { readonly folder: string; readonly recursive: boolean }[] {
  const there = paths.filter((path) => existsSync(path));
  const folders = there.filter((path) => statSync(path).isDirectory());
  const beside = there.filter((path) => !folders.includes(path)).map((path) => dirname(path));
  return [
    ...[...new Set(folders)].map((folder) => ({ folder, recursive: true })),
    ...[...new Set(beside)]
      .filter((folder) => !folders.includes(folder))
      .map((folder) => ({ folder, recursive: false })),
  ];
}
