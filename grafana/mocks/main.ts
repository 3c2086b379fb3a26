// `npm run grafana:mocks`: draws every dashboard from real results into one page each. See README.md.

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { clickhouseConfigSchema } from '../../collector/src/store/config.ts';
import { openStore } from '../../collector/src/store/index.ts';
import { boardValues, loadBoardData } from '../../test/support/grafana-boards-data.ts';
import { dashboards } from '../generate.ts';
import { askClickHouse } from './ask.ts';
import { renderPage } from './page.ts';

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: 'grafana-mocks' },
    hours: { type: 'string', default: '24' },
    empty: { type: 'boolean', default: false },
    var: { type: 'string', multiple: true, default: [] },
    url: { type: 'string' },
    user: { type: 'string', default: 'grafana' },
    'password-file': { type: 'string' },
    database: { type: 'string', default: 'spanwarden' },
  },
});

const chosen = Object.fromEntries(
  values.var.map((each) => {
    const [name = '', ...rest] = each.split('=');
    return [name, rest.join('=')];
  }),
);
const count = values.url === undefined ? await drawTestData() : await drawServer(values.url);
process.exitCode = count === 0 ? 0 : 1;

/** The tests' data, or none, in a ClickHouse that runs for this alone. */
async function drawTestData(): Promise<number> {
  const dataDir = await mkdtemp(join(tmpdir(), 'spanwarden-mocks-'));
  const store = await openStore(clickhouseConfigSchema.parse({}), { dataDir });
  try {
    await store.migrated();
    if (!values.empty) await loadBoardData(store);
    const { url, database, embedded } = store.endpoints;
    const account = { url: url.toString(), database, ...embedded!.grafana };
    return await draw(account, values.empty ? () => ({}) : boardValues);
  } finally {
    await store.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** What a running collector has stored, for example that of `npm run demo -- --keep`. */
async function drawServer(url: string): Promise<number> {
  const file = values['password-file'];
  const password = file === undefined ? '' : (await readFile(file, 'utf8')).trim();
  return draw({ url, database: values.database, username: values.user, password }, () => ({}));
}

async function draw(
  account: { url: string; database: string; username: string; password: string },
  defaults: (uid: string | undefined) => Readonly<Record<string, string>>,
): Promise<number> {
  const client = createClient({ ...account, log: { level: ClickHouseLogLevel.OFF } });
  const folder = resolve(values.out);
  await mkdir(folder, { recursive: true });
  const nowMs = Date.now();
  const fromMs = nowMs - Number(values.hours) * 3_600_000;
  const boards = Object.values(dashboards).map((make) => make());
  const uids = new Set(boards.map(({ uid }) => uid ?? ''));
  let problems = 0;
  try {
    for (const board of boards) {
      const ask = askClickHouse(client, fromMs, nowMs);
      const page = await renderPage(board, { ask, nowMs, fromMs, uids, chosen: { ...defaults(board.uid), ...chosen } });
      const path = join(folder, `${board.uid}.html`);
      await writeFile(path, page.html);
      problems += page.problems.length;
      process.stdout.write(`${path}\n${page.problems.map((text) => `  ${text}\n`).join('')}`);
    }
  } finally {
    await client.close();
  }
  return problems;
}
