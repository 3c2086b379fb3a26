import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

const entriesMax = 5000;

/**
 * The directories of every copy of these packages that the application could load: in the `node_modules` folders from the
 * main script and the working directory upwards, under aliases, nested one level below other packages and in pnpm's store.
 * Only directories that exist; real paths, each once.
 */
export function packageDirectories(names: readonly string[]): string[] {
  const found = new Set<string>();
  const add = (directory: string): void => {
    if (!existsSync(join(directory, 'package.json'))) return;
    try {
      found.add(realpathSync(directory));
    } catch {
      // A dangling link is no package.
    }
  };
  for (const start of startDirectories()) {
    for (const directory of upwards(start)) {
      const modules = join(directory, 'node_modules');
      for (const name of names) add(join(modules, name));
      for (const alias of aliases(directory, names)) add(join(modules, alias));
      for (const inner of packagesIn(modules)) for (const name of names) add(join(inner, 'node_modules', name));
      for (const directory of pnpmCopies(modules, names)) add(directory);
    }
  }
  return [...found];
}

function startDirectories(): string[] {
  const starts = [process.cwd()];
  const script = process.argv[1];
  if (script !== undefined) {
    try {
      starts.unshift(dirname(realpathSync(script)));
    } catch {
      // With `-e` and the like there is no script.
    }
  }
  return starts;
}

function* upwards(start: string): Generator<string> {
  for (let at = start; ; at = dirname(at)) {
    yield at;
    if (dirname(at) === at) return;
  }
}

/** Names under which package.json installs a wanted package: `"ai": "npm:openai@^7"`. */
function aliases(directory: string, names: readonly string[]): string[] {
  try {
    const manifest = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Record<string, unknown>;
    const { dependencies, devDependencies, optionalDependencies } = manifest;
    return Object.entries({ ...Object(dependencies), ...Object(devDependencies), ...Object(optionalDependencies) })
      .filter(([, range]) => names.some((name) => String(range).startsWith(`npm:${name}@`)))
      .map(([alias]) => alias);
  } catch {
    return [];
  }
}

function packagesIn(modules: string): string[] {
  const packages: string[] = [];
  for (const entry of list(modules)) {
    if (entry.startsWith('.')) continue;
    if (!entry.startsWith('@')) packages.push(join(modules, entry));
    else for (const scoped of list(join(modules, entry))) packages.push(join(modules, entry, scoped));
  }
  return packages.slice(0, entriesMax);
}

function pnpmCopies(modules: string, names: readonly string[]): string[] {
  const store = join(modules, '.pnpm');
  return list(store).flatMap((entry) =>
    names
      .filter((name) => entry.startsWith(`${name.replace('/', '+')}@`))
      .map((name) => join(store, entry, 'node_modules', name)),
  );
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory).slice(0, entriesMax);
  } catch {
    return [];
  }
}
