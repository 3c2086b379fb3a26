import { existsSync, type FSWatcher, readdirSync, statSync, watch } from 'node:fs';
import { dirname, join, normalize, sep } from 'node:path';
import { watchSignals } from './signals.ts';

/** Editors write a file in several steps; what comes together is one change. */
const settleMs = 100;
/** The link that Kubernetes turns to another folder when a mounted ConfigMap or Secret changes; files of the mount are links through it. */
const mountedContent = '..data';

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
  const watchers = new Map<string, FSWatcher>();
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(changed, settleMs);
  };
  /** A folder of this name may be another one by now, or gone with all that is in it. */
  const drop = (folder: string): void => {
    for (const [path, watcher] of watchers) {
      if (path !== folder && !path.startsWith(folder + sep)) continue;
      watcher.close();
      watchers.delete(path);
    }
  };
  const heard = (folder: string, isDeep: boolean, event: string, name: string | null): void => {
    if (name === null || name === mountedContent || /\.ya?ml$/.test(name)) soon();
    else if (isDeep && event === 'rename' && isFolderName(name)) {
      const path = join(folder, name);
      const isKnown = watchers.has(path);
      drop(path);
      if (!isFolder(path) && !isKnown) return;
      for (const each of foldersBelow(path)) open(each, true);
      soon();
    }
  };
  const open = (folder: string, isDeep: boolean): void => {
    if (watchers.has(folder)) return;
    try {
      const watcher = watch(folder, (event, name) => heard(folder, isDeep, event, name));
      watchers.set(folder, watcher.on('error', failed));
    } catch (error) {
      // It went between being found and being watched.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') failed(error);
    }
  };
  const there = paths.filter((path) => existsSync(path)).map((path) => normalize(path));
  for (const path of there.filter(isFolder)) for (const folder of foldersBelow(path)) open(folder, true);
  // What is below that folder is not looked at: the data directory often stands beside the config.
  for (const path of there.filter((each) => !isFolder(each))) open(dirname(path), false);
  return () => {
    clearTimeout(timer);
    for (const watcher of watchers.values()) watcher.close();
  };
}

/**
 * A folder and those below it that may hold rules. Each is watched for itself and not the files in it: editors replace files, and
 * a watched one would be gone. Node's own way to watch a tree loses files so on Linux.
 */
function foldersBelow(folder: string): string[] {
  if (!isFolder(folder)) return [];
  const names = readdirSync(folder, { withFileTypes: true });
  const below = names.filter((entry) => entry.isDirectory() && isFolderName(entry.name));
  return [folder, ...below.flatMap(({ name }) => foldersBelow(join(folder, name)))];
}

/** Hidden folders hold no rules. */
function isFolderName(name: string): boolean {
  return !name.startsWith('.');
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
