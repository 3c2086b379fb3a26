import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before, describe } from 'node:test';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { parse } from 'yaml';
import type { Rows } from '../collector/src/model/spool.ts';
import { addCaseEvent } from '../collector/src/store/cases-reader.ts';
import { clickhouseConfigSchema } from '../collector/src/store/config.ts';
import { openStore, type Store } from '../collector/src/store/index.ts';
import { repositoryRoot } from '../scripts/repository.ts';
import { casesOf, ownMetrics, ruleErrors, rulesOf, spansOf } from './support/alert-states.ts';
import { evaluateRule, type Instance, type ProvisionedRule, type TableResult } from './support/grafana-alerting.ts';
import { hostile, ship } from './support/grafana-data.ts';

// Every alert rule as the provisioning file has it, on the real ClickHouse, as the account that Grafana gets: with nothing there, with
// all well, and in a state in which it must fire. What this shows about Grafana itself and what not: docs/grafana.md.

const file = parse(readFileSync(join(repositoryRoot, 'grafana/provisioning/alerting/spanwarden.yaml'), 'utf8'));
const rules: ProvisionedRule[] = file.groups.flatMap((group: { rules: ProvisionedRule[] }) => group.rules);

let dataDir: string;
let store: Store;
let grafana: ClickHouseClient;

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'spanwarden-alerts-'));
  store = await openStore(clickhouseConfigSchema.parse({}), { dataDir });
  await store.migrated();
  const { url, database, embedded } = store.endpoints;
  grafana = createClient({ url, database, ...embedded!.grafana, log: { level: ClickHouseLogLevel.OFF } });
});

after(async () => {
  await grafana?.close();
  await store?.close();
  await rm(dataDir, { recursive: true, force: true });
});

const hours = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i + 0.1);
const destination = 'siem';

/** A collector that does what it should. */
const wellGauges = {
  spanwarden_spool_bytes: [10],
  spanwarden_spool_bytes_max: [1000],
  spanwarden_spool_reserve_released: [0],
  spanwarden_spool_oldest_age_seconds: [1],
  spanwarden_export_lag_seconds: [[{ destination }, 5]],
  spanwarden_export_state: ['ok', 'retrying', 'misconfigured', 'stopped'].map(
    (state) => [{ destination, state }, Number(state === 'ok')] as const,
  ),
  spanwarden_receive_tls_expiry_timestamp_seconds: [Date.now() / 1000 + 60 * 86_400],
} as const;
const counters = (value: number) => ({
  spanwarden_store_dead_letter_rows_total: [value],
  spanwarden_detect_errors_total: [value],
  spanwarden_receive_refused_requests_total: [[{ reason: 'bytes' }, value]] as const,
  spanwarden_export_refused_events_total: [[{ destination }, value]] as const,
});

/** Counters do not grow for a time; a start since then began at zero again. */
async function wellCollector(): Promise<Rows[]> {
  const well = { collector: 'well', gauges: wellGauges };
  const batches = await Promise.all([
    ownMetrics({ ...well, minutesAgo: 20, counters: counters(7) }),
    ownMetrics({ ...well, minutesAgo: 10, counters: counters(7) }),
    ownMetrics({ ...well, minutesAgo: 1, startedMinutesAgo: 5, counters: counters(0) }),
  ]);
  return batches.flat();
}

/** A metric that is not as it should be; of everything else nothing is said. */
const gauge = (collector: string, name: string, value: number, labels = {}) =>
  ownMetrics({ collector, minutesAgo: 1, gauges: { [name]: [[labels, value]] } });
const grown = async (collector: string, name: string, labels = {}) => [
  ...(await ownMetrics({ collector, minutesAgo: 14, counters: { [name]: [[labels, 3]] } })),
  ...(await ownMetrics({ collector, minutesAgo: 9, counters: { [name]: [[labels, 4]] } })),
  ...(await ownMetrics({ collector, minutesAgo: 1, startedMinutesAgo: 8, counters: { [name]: [[labels, 2]] } })),
];

interface Broken {
  readonly rows: () => Promise<Rows[]> | Rows[];
  /** Labels and value of what must fire, and nothing else. */
  readonly fires: readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[];
}

const [critical, high] = ['c1'.repeat(16), 'c2'.repeat(16)] as const;

/** For each rule a state in which it must fire, for that and for nothing else. */
const broken: Readonly<Record<string, Broken>> = {
  'spanwarden-case-critical': {
    rows: () => [casesOf({ [critical]: { level: 'critical', findings: 3 } })],
    fires: [[{ case: critical }, 3]],
  },
  'spanwarden-case-high': { rows: () => [casesOf({ [high]: { level: 'high' } })], fires: [[{ case: high }, 1]] },
  'spanwarden-agent-silent': {
    rows: () => [spansOf('shop', hostile.tool, hours(3, 25))],
    fires: [[{ service: 'shop', agent: clean(hostile.tool) }, 3.1]],
  },
  'spanwarden-collector-silent': {
    rows: () => ownMetrics({ collector: 'gone', minutesAgo: 20, gauges: wellGauges }),
    fires: [[{ collector: 'gone' }, 1200]],
  },
  'spanwarden-store-lag': {
    rows: () => gauge('behind', 'spanwarden_spool_oldest_age_seconds', 400),
    fires: [[{ collector: 'behind', of: '' }, 400]],
  },
  'spanwarden-spool-filling': {
    rows: async () => [
      ...(await ownMetrics({
        ...{ collector: 'full', minutesAgo: 1 },
        gauges: { spanwarden_spool_bytes: [300], spanwarden_spool_bytes_max: [1000] },
      })),
      ...(await gauge('no-disk', 'spanwarden_spool_reserve_released', 1)),
    ],
    fires: [
      [{ collector: 'full' }, 0.3],
      [{ collector: 'no-disk' }, 1],
    ],
  },
  'spanwarden-store-dead-letters': {
    rows: () => grown('refused', 'spanwarden_store_dead_letter_rows_total'),
    fires: [[{ collector: 'refused', of: '' }, 3]],
  },
  'spanwarden-requests-refused': {
    rows: () => grown('busy', 'spanwarden_receive_refused_requests_total', { reason: 'memory' }),
    fires: [[{ collector: 'busy', reason: 'memory' }, 3]],
  },
  'spanwarden-tls-expiry': {
    rows: () => gauge('old', 'spanwarden_receive_tls_expiry_timestamp_seconds', Date.now() / 1000 + 86_400),
    fires: [[{ collector: 'old' }, 1]],
  },
  'spanwarden-detect-errors': {
    rows: () => grown('failing', 'spanwarden_detect_errors_total'),
    fires: [[{ collector: 'failing', of: '' }, 3]],
  },
  'spanwarden-rule-disabled': {
    rows: () => [rulesOf({ slow: 'disabled', '': 'set_refused' })],
    fires: [
      [{ rule: '', title: 'the newest set of rules' }, 1],
      [{ rule: 'slow', title: 'slow' }, 1],
    ],
  },
  'spanwarden-rule-failing': { rows: () => [ruleErrors('throws', 2, 0)], fires: [[{ rule: 'throws' }, 2]] },
  'spanwarden-export-stuck': {
    rows: () => gauge('stuck', 'spanwarden_export_lag_seconds', 1000, { destination }),
    fires: [[{ collector: 'stuck', destination }, 1000]],
  },
  'spanwarden-export-misconfigured': {
    rows: () => gauge('wrong', 'spanwarden_export_state', 1, { destination, state: 'misconfigured' }),
    fires: [[{ collector: 'wrong', destination }, 1]],
  },
  'spanwarden-export-dead-letters': {
    rows: () => grown('refusing', 'spanwarden_export_refused_events_total', { destination }),
    fires: [[{ collector: 'refusing', destination }, 3]],
  },
};

describe('with nothing in the database', () => {
  for (const rule of rules) {
    test(rule.uid, async () => {
      const isSilence = rule.uid === 'spanwarden-collector-silent';
      assert.deepEqual(await evaluate(rule), { status: 'no data', state: isSilence ? 'Alerting' : 'OK' });
    });
  }
});

describe('with all well', () => {
  before(async () => {
    const [closed, old] = ['c3'.repeat(16), 'c4'.repeat(16)];
    await shipped('well', [
      ...(await wellCollector()),
      casesOf({ ['c5'.repeat(16)]: {}, [closed]: { level: 'critical' } }),
      rulesOf({ fine: 'active', gone: 'removed' }),
      ruleErrors('fine', 0, 0),
      ruleErrors('mended', 5, 3),
      spansOf('shop', 'day-and-night', hours(0, 30)),
      spansOf('shop', 'office-hours', hours(5, 13)),
    ]);
    const event = { action: 'close', disposition: 'false-positive', reason: 'r', by: 'b' } as const;
    const stored = { id: closed, level: 'critical', findings: 1, chainIds: [closed] };
    await addCaseEvent(store.client, stored as unknown as Parameters<typeof addCaseEvent>[1], event, new Date());
    // One that nothing was added to for two days.
    await store.client.command({
      query: `INSERT INTO cases (CaseId, Version, Day, Level, Severity, InsertedAt)
        VALUES ('${old}', 1, today(), 'critical', 5, now() - INTERVAL 2 DAY)`,
    });
  });

  for (const rule of rules) {
    test(rule.uid, async () => {
      const evaluation = await evaluate(rule);
      if (evaluation.status === 'data') assert.deepEqual(firing(evaluation.instances), []);
      else assert.deepEqual(evaluation, { status: 'no data', state: 'OK' });
    });
  }

  test('rules about collectors and agents judge what is there, and are not quiet for want of rows', async () => {
    for (const rule of rules.filter(({ uid }) => !/-(case|rule)-/.test(uid))) {
      assert.equal((await evaluate(rule)).status, 'data', rule.uid);
    }
  });
});

describe('in a state in which it must fire', () => {
  before(async () => {
    for (const [uid, { rows }] of Object.entries(broken)) await shipped(uid, await rows());
  });

  for (const rule of rules) {
    test(rule.uid, async () => {
      const evaluation = await evaluate(rule);
      assert.ok(evaluation.status === 'data');
      const found = firing(evaluation.instances);
      const wanted = broken[rule.uid]!.fires;
      assert.deepEqual(
        found.map(({ labels }) => labels),
        wanted.map(([labels]) => labels),
      );
      for (const [i, [, value]] of wanted.entries()) {
        const got = found[i]!.value;
        assert.ok(Math.abs(got - value) <= value / 20 + Number(value >= 1000) * 30, `${got} instead of ${value}`);
      }
    });
  }
});

describe('while ClickHouse does not answer', () => {
  for (const rule of rules) {
    test(rule.uid, async () => {
      const refuse = async () => Promise.reject(new Error('away'));
      const state = rule.uid === 'spanwarden-collector-silent' ? 'Alerting' : 'KeepLast';
      assert.deepEqual(await evaluateRule(rule, refuse), { status: 'error', state });
    });
  }
});

test('the evaluator refuses what Grafana would', async () => {
  const [rule] = rules as [ProvisionedRule];
  const answer = (columns: Record<string, string>, rows: Record<string, unknown>[]) => async () => ({ columns, rows });
  await assert.rejects(evaluateRule(rule, answer({ a: 'String' }, [])), /one number/);
  await assert.rejects(evaluateRule(rule, answer({ a: 'DateTime', value: 'Float64' }, [])), /one number/);
  const twice = [{ a: 'x' }, { a: 'x' }].map((row) => ({ ...row, value: 1 }));
  await assert.rejects(evaluateRule(rule, answer({ a: 'String', value: 'Float64' }, twice)), /two rows/);
});

function evaluate(rule: ProvisionedRule) {
  return evaluateRule(rule, async (query): Promise<TableResult> => {
    const result = await grafana.query({ query, format: 'JSON', clickhouse_settings: { max_execution_time: 60 } });
    const { meta = [], data } = await result.json<Record<string, unknown>>();
    return { columns: Object.fromEntries(meta.map(({ name, type }) => [name, type])), rows: data };
  });
}

function firing(instances: readonly Instance[]): Instance[] {
  return instances
    .filter(({ state }) => state === 'Alerting')
    .sort((a, b) => (JSON.stringify(a.labels) < JSON.stringify(b.labels) ? -1 : 1));
}

/** A table may come several times in what is shipped. */
async function shipped(id: string, tables: readonly Rows[]): Promise<void> {
  for (const [i, rows] of tables.entries()) await ship(store, `${id}-${i}`, [rows]);
}

function clean(text: string): string {
  return [...text.replace(/[\p{Cc}\p{Cf}]/gu, ' ')].slice(0, 100).join('');
}
