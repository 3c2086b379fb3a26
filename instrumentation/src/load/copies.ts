import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname, join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { PackageCopy, Patch, PatchContext } from '../patch.ts';

/** What was hooked in one copy of a package, for `status()`. */
export interface HookedCopy {
  readonly name: string;
  readonly version: string;
  readonly format: 'esm' | 'cjs';
  readonly directory: string;
  readonly hooks: string[];
}

/** A file of a package that some patch wants, found by its place on disk. */
export interface WantedFile {
  readonly directory: string;
  readonly name: string;
  readonly version: string;
  /** Path inside the package without extension. */
  readonly file: string;
  readonly patches: readonly Patch[];
}

export interface Copies {
  /** The wanted file that stands at a path, undefined for any other path. Cheap: asked for every file the process loads. */
  wanted(path: string): WantedFile | undefined;
  /** Hands the exports of an evaluated file to the patches that want it. */
  evaluated(path: string, exports: Record<string, unknown>): void;
  /** Loads and patches both formats of the package in a directory. */
  patchDirectory(directory: string): void;
  readonly hooked: readonly HookedCopy[];
  readonly packageNames: readonly string[];
}

const extensions = { esm: ['.mjs', '.js'], cjs: ['.js', '.cjs'] } as const;
const filesMax = 10_000;

/** The copies of patched packages in this process: npm nests versions, and the ESM and CJS builds are separate classes. */
export function findCopies(patches: readonly Patch[], context: PatchContext): Copies {
  const byStem = stemsOf(patches);
  const loaded = new Map<string, Map<string, Record<string, unknown>>>();
  const hooked = new Map<string, HookedCopy>();

  const apply = (patch: Patch, copy: PackageCopy): void => {
    try {
      const hooks = patch.apply(copy, context);
      if (hooks.length > 0) recordHooks(hooked, copy, hooks);
    } catch (error) {
      context.failed(`patch ${copy.name} ${copy.version} (${copy.format})`, error);
    }
  };

  const wanted = (given: string): WantedFile | undefined => {
    const path = sep === '/' ? given : given.replaceAll(sep, '/');
    const stem = path.slice(path.lastIndexOf('/') + 1).replace(/\.[cm]?js$/, '');
    for (const { file, patches: interested } of byStem.get(stem) ?? []) {
      const directory = directoryOf(path, file);
      const found = directory && packageAt(directory);
      if (!found) continue;
      const matching = interested.filter((patch) => patch.packages.includes(found.name));
      if (matching.length > 0) return { directory, ...found, file, patches: matching };
    }
    return undefined;
  };

  return {
    wanted,
    evaluated(path, exports) {
      const found = wanted(path);
      if (!found || loaded.size > filesMax || !isReady(exports)) return;
      const format = formatOf(path, found.directory);
      const key = `${format}:${found.directory}`;
      const files = loaded.get(key) ?? new Map<string, Record<string, unknown>>();
      loaded.set(key, files.set(found.file, exports));
      const { directory, name, version } = found;
      for (const patch of found.patches) {
        apply(patch, { name, version, directory, format, load: (file) => files.get(file) });
      }
    },
    patchDirectory(directory) {
      const found = packageAt(directory);
      if (!found) return;
      const again = (patch: Patch, format: 'esm' | 'cjs'): void => {
        const later = (): void => again(patch, format);
        apply(patch, { ...found, directory, format, load: (file) => loadNow(directory, file, format, later) });
      };
      for (const patch of patches.filter((one) => one.packages.includes(found.name))) {
        again(patch, 'esm');
        again(patch, 'cjs');
      }
    },
    get hooked() {
      return [...hooked.values()];
    },
    packageNames: [...new Set(patches.flatMap((patch) => patch.packages))],
  };
}

/** Wanted files by the last segment of their path, so that a file no patch knows costs one map look-up. */
function stemsOf(patches: readonly Patch[]): Map<string, { file: string; patches: Patch[] }[]> {
  const stems = new Map<string, { file: string; patches: Patch[] }[]>();
  for (const patch of patches) {
    for (const file of patch.files ?? []) {
      const stem = file.slice(file.lastIndexOf('/') + 1);
      const entries = stems.get(stem) ?? [];
      stems.set(stem, entries);
      const entry = entries.find((one) => one.file === file);
      if (entry) entry.patches.push(patch);
      else entries.push({ file, patches: [patch] });
    }
  }
  return stems;
}

function directoryOf(path: string, file: string): string | undefined {
  const bare = path.replace(/\.[cm]?js$/, '');
  return bare.endsWith(`/${file}`) ? bare.slice(0, -file.length - 1) : undefined;
}

type Manifest = { readonly name: string; readonly version: string; readonly type: string };

const manifests = new Map<string, Manifest | undefined>();

/** The package whose root a directory is; remembered, since files with common names ask for it often. */
function packageAt(directory: string): Manifest | undefined {
  if (manifests.has(directory)) return manifests.get(directory);
  const manifest = readManifest(directory);
  if (manifests.size < filesMax) manifests.set(directory, manifest);
  return manifest;
}

function readManifest(directory: string): Manifest | undefined {
  try {
    const manifest = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Record<string, unknown>;
    const { name, version, type } = manifest;
    if (typeof name !== 'string' || typeof version !== 'string') return undefined;
    return { name, version, type: type === 'module' ? 'module' : 'commonjs' };
  } catch {
    return undefined;
  }
}

function formatOf(path: string, directory: string): 'esm' | 'cjs' {
  const extension = extname(path);
  if (extension === '.mjs') return 'esm';
  if (extension === '.cjs') return 'cjs';
  return nearestType(path, directory) === 'module' ? 'esm' : 'cjs';
}

/** The `type` that governs a .js file: builds put a package.json into their `dist/esm` and `dist/cjs`. */
function nearestType(path: string, directory: string): string {
  for (
    let at = path.slice(0, path.lastIndexOf('/'));
    at.length > directory.length;
    at = at.slice(0, at.lastIndexOf('/'))
  ) {
    try {
      return String((JSON.parse(readFileSync(`${at}/package.json`, 'utf8')) as { type?: unknown }).type);
    } catch {
      // Most folders of a package have no package.json of their own.
    }
  }
  return packageAt(directory)?.type ?? 'commonjs';
}

/**
 * Loads one file of a copy. require() of an ES module shares its place with import. Where this Node cannot do it (the
 * module is linked but not evaluated, or its graph waits for a promise), import() gets it a little later and `later` runs.
 */
function loadNow(
  directory: string,
  file: string,
  format: 'esm' | 'cjs',
  later: () => void,
): Record<string, unknown> | undefined {
  const require = createRequire(join(directory, 'package.json'));
  for (const extension of extensions[format]) {
    const path = join(directory, `${file}${extension}`);
    let exports: Record<string, unknown>;
    try {
      if (formatOf(require.resolve(path), directory) !== format) continue;
    } catch {
      continue;
    }
    try {
      exports = require(path) as Record<string, unknown>;
    } catch {
      if (format === 'esm') importLater(path, later);
      return undefined;
    }
    if (isReady(exports)) return exports;
    importLater(path, later);
    return undefined;
  }
  return undefined;
}

const importing = new Set<string>();

function importLater(path: string, later: () => void): void {
  if (importing.has(path)) return;
  importing.add(path);
  import(pathToFileURL(path).href).then(later, () => {});
}

/** Whether a module's exports can be read: before its evaluation every access throws. */
function isReady(exports: Record<string, unknown>): boolean {
  try {
    for (const key of Object.keys(exports)) void exports[key];
    return true;
  } catch {
    return false;
  }
}

function recordHooks(hooked: Map<string, HookedCopy>, copy: PackageCopy, hooks: readonly string[]): void {
  const key = `${copy.format}:${copy.directory}`;
  const { name, version, format, directory } = copy;
  const entry = hooked.get(key) ?? { name, version, format, directory, hooks: [] };
  for (const hook of hooks) if (!entry.hooks.includes(hook)) entry.hooks.push(hook);
  hooked.set(key, entry);
}
