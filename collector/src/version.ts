import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** What `spanwarden version` says: versions of the parts that matter when something is odd. */
export interface Versions {
  readonly spanwarden: string;
  readonly node: string;
  /** The embedded ClickHouse; null where its package is not installed, as on a platform it does not ship for. */
  readonly clickhouse: string | null;
}

export function versions(): Versions {
  return { spanwarden: spanwardenVersion(), node: process.versions.node, clickhouse: clickhouseVersion() };
}

/** The version in the package's own package.json, which stands above `src/` and `dist/` alike. */
export function spanwardenVersion(): string {
  return readVersion(new URL('../package.json', import.meta.url));
}

function clickhouseVersion(): string | null {
  const require = createRequire(import.meta.url);
  const { platform, arch } = process;
  try {
    // The library package stands beside chdb, which names it as its own optional dependency.
    const fromChdb = createRequire(require.resolve('chdb'));
    const library = `@chdb/lib-${platform}-${arch}${platform === 'linux' ? '-gnu' : ''}`;
    return readVersion(fromChdb.resolve(`${library}/package.json`));
  } catch {
    return null;
  }
}

function readVersion(file: string | URL): string {
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
