import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Store } from '../../collector/src/store/index.ts';
import type { MacroRange } from '../../test/support/grafana-backend.ts';

/** What a macro expansion gave. */
export interface Expanded {
  readonly sql?: string;
  readonly error?: string;
}

/** The frame that a query became: its fields with Grafana's types and ClickHouse's. */
export interface Framed {
  readonly fields?: readonly { readonly name: string; readonly type: string; readonly column?: string }[];
  readonly rows: number;
  readonly error?: string;
}

/** Macros as the data source's backend expands them. */
export function expandedByGo(
  checkout: string,
  { from, to, intervalMs }: MacroRange,
  queries: readonly string[],
): Expanded[] {
  const input = { FromMs: from.getTime(), ToMs: to.getTime(), IntervalMs: intervalMs, Queries: queries };
  return run(checkout, 'expand.go', input) as Expanded[];
}

/** Frames as the data source's backend makes them, over HTTP or ClickHouse's native protocol, as the account `grafana`. */
export function framesByGo(
  checkout: string,
  { endpoints: { url, database, embedded } }: Store,
  isHttp: boolean,
  queries: readonly { readonly sql: string; readonly format: number }[],
): Framed[] {
  const { username, password } = embedded!.grafana;
  const host = isHttp ? new URL(url).host : `127.0.0.1:${embedded!.tcpPort}`;
  const input = {
    ...{ Address: host, HTTP: isHttp, Database: database, User: username, Password: password },
    Queries: queries.map(({ sql, format }) => ({ SQL: sql, Format: format })),
  };
  return run(checkout, 'frames.go', input) as Framed[];
}

/** Runs one of our programs as if it stood in the checkout; nothing is written into it. */
function run(checkout: string, program: string, input: object): unknown {
  const scratch = mkdtempSync(join(tmpdir(), 'spanwarden-plugin-go-'));
  try {
    const overlay = join(scratch, 'overlay.json');
    const path = join(checkout, 'pkg/spanwarden/main.go');
    writeFileSync(overlay, JSON.stringify({ Replace: { [path]: join(import.meta.dirname, program) } }));
    const options = { cwd: checkout, input: JSON.stringify(input), maxBuffer: 64 * 1024 * 1024 } as const;
    return JSON.parse(execFileSync('go', ['run', '-overlay', overlay, './pkg/spanwarden'], options).toString());
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
