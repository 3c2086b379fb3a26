import { createRequire } from 'node:module';
import type { Patch, PatchContext } from '../patch.ts';
import { type Copies, findCopies } from './copies.ts';
import { isFirstPreload, loadedFiles } from './loaded.ts';
import { packageDirectories } from './resolve.ts';
import { canWatch, watchLoads } from './watch.ts';

/**
 * Puts the patches into every copy of their packages, loaded already or later. Where Node's load hooks can be trusted,
 * only what the application itself loads is touched. On earlier versions, and for patches without a file list, the copies
 * the application could load are found on disk and loaded now.
 *
 * SPANWARDEN_LOAD=eager asks for the second way.
 */
export function installPatches(patches: readonly Patch[], context: PatchContext): Copies {
  const copies = findCopies(patches, context);
  const watching = process.env.SPANWARDEN_LOAD !== 'eager' && canWatch();
  const watched = patches.filter((patch) => watching && patch.files !== undefined);
  let covered = watched.length > 0;
  if (covered) {
    try {
      watchLoads(copies, context);
      covered = isFirstPreload() || patchLoaded(copies, context);
    } catch (error) {
      covered = false;
      context.failed('watch loads', error);
    }
  }
  const names = patches.filter((patch) => !covered || patch.files === undefined).flatMap((patch) => patch.packages);
  if (names.length > 0) for (const directory of packageDirectories(names)) copies.patchDirectory(directory);
  return copies;
}

/** Patches what was loaded before us; false when this Node does not tell. */
function patchLoaded(copies: Copies, context: PatchContext): boolean {
  const paths = loadedFiles();
  if (!paths) return false;
  const require = createRequire(import.meta.url);
  for (const path of new Set(paths)) {
    if (!copies.wanted(path)) continue;
    try {
      // Loaded already, so this gives the one instance there is; at most it evaluates a linked module a little earlier.
      copies.evaluated(path, require(path) as Record<string, unknown>);
    } catch (error) {
      context.failed(`reach ${path}`, error);
    }
  }
  return true;
}
