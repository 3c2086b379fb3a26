import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Case } from '../model/case.ts';
import type { Rows } from '../model/spool.ts';
import { addCaseEvent, caseCounts, getCase, listCases } from './cases-reader.ts';
import { clickhouseConfigSchema } from './config.ts';
import { listFindings } from './findings-reader.ts';
import { openStore, type Store } from './index.ts';
import { encodeCases } from './rows/cases.ts';
import { encodeFindings } from './rows/findings.ts';
import { hostile, nanos, caseRow as row } from './testing/cases.ts';
import { finding, MemorySource, segment } from './testing/segments.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'spanwarden-cases-'));
let store: Store;
let segments = 0;

before(async () => {
  store = await openStore(clickhouseConfigSchema.parse({}), { dataDir });
  await store.migrated();
});
after(async () => {
  await store.close();
  rmSync(dataDir, { recursive: true, force: true });
});

async function ship(rows: Rows): Promise<void> {
  const source = new MemorySource(segment(`cases-${segments++}`, rows));
  const stop = new AbortController();
  const running = store.run(source, stop.signal);
  await source.settled(1);
  stop.abort();
  await running;
}

const id = (digit: string): string => digit.repeat(32);

describe('cases in ClickHouse', () => {
  it('come back as they were written, the newest version of each', async () => {
    await ship(encodeCases([row(id('1')), row(id('1'), { version: 2n, level: 'critical', findings: 5 })]));
    const found = await getCase(store.client, '1111');
    assert.ok(found.status === 'found');
    const { timeline, votes, ...rest } = found.found;
    assert.equal(rest.level, 'critical');
    assert.equal(rest.findings, 5);
    assert.equal(rest.status, 'open');
    assert.equal(rest.headline, `${hostile} did it`);
    assert.deepEqual(rest.agents, [hostile]);
    assert.match(rest.firstSeen, /^\d{4}-\d\d-\d\dT00:00:00\.000000001Z$/);
    assert.deepEqual(votes, [{ ruleId: 'rule', ruleTitle: 'Rule', level: 'high', findings: 1, count: 3 }]);
    assert.deepEqual(
      timeline.map(({ level, count, shown, agentName }) => [level, count, shown, agentName]),
      [
        ['high', 3, 'what matched', hostile],
        ['low', 3, 'what matched', hostile],
      ],
    );
  });

  it('filter by status, level, agent and time', async () => {
    await ship(encodeCases([row(id('2'), { level: 'medium', agents: ['quiet'], lastSeenNanos: nanos + 9n })]));
    const ids = async (filter: Parameters<typeof listCases>[1]): Promise<string[]> =>
      (await listCases(store.client, filter)).map((each) => each.id);
    assert.deepEqual(await ids({}), [id('2'), id('1')]);
    assert.deepEqual(await ids({ limit: 1 }), [id('2')]);
    assert.deepEqual(await ids({ level: 'high' }), [id('1')]);
    assert.deepEqual(await ids({ agent: 'quiet' }), [id('2')]);
    assert.deepEqual(await ids({ agent: hostile }), [id('1')]);
    assert.deepEqual(await ids({ since: new Date(Date.now() + 86_400_000) }), []);
    assert.deepEqual(await ids({ traceIds: ['a1'.repeat(16)] }), [id('2'), id('1')]);
    assert.deepEqual(await ids({ traceIds: ['a2'.repeat(16)] }), []);
    assert.deepEqual(await ids({ status: 'closed' }), []);
    assert.deepEqual((await caseCounts(store.client)).cases, 2);
  });

  it('that became part of another lead there, and are not listed', async () => {
    await ship(
      encodeCases([
        row(id('3'), { chainIds: [id('3'), id('4')], version: 5n }),
        row(id('4'), { mergedInto: id('3'), version: 6n }),
      ]),
    );
    const found = await getCase(store.client, '4444');
    assert.equal(found.status === 'found' && found.found.id, id('3'));
    assert.ok(!(await listCases(store.client)).some((each) => each.id === id('4')));
    assert.equal((await getCase(store.client, 'ffff')).status, 'none');
  });

  it('stay closed as the disposition says', async () => {
    const cases = [
      ...['false-positive', 'benign', 'true-positive'].flatMap((disposition) =>
        (['nothing', 'a count', 'a finding', 'a session', 'severity'] as const).map((news) => ({ disposition, news })),
      ),
    ];
    for (const [index, { disposition, news }] of cases.entries()) {
      const own = (0xa0 + index).toString(16).repeat(16);
      const first = row(own, { level: 'high' });
      await ship(encodeCases([first]));
      const found = await getCase(store.client, own);
      assert.ok(found.status === 'found');
      const event = { action: 'close', disposition, reason: hostile, by: 'me' } as const;
      await addCaseEvent(store.client, found.found, event as never, new Date());
      const changes: Partial<Case> =
        news === 'a count'
          ? { count: 9 }
          : news === 'a finding'
            ? { findings: 3 }
            : news === 'a session'
              ? { chainIds: [own, id('c')] }
              : news === 'severity'
                ? { level: 'critical' }
                : {};
      await ship(encodeCases([{ ...first, version: 2n, ...changes }]));
      const reopens =
        ['a session', 'severity'].includes(news) || (disposition === 'true-positive' && news === 'a finding');
      const after = await getCase(store.client, own);
      assert.ok(after.status === 'found');
      assert.equal(after.found.status, reopens ? 'open' : 'closed', `${disposition}, then ${news}`);
      assert.deepEqual(
        after.events.map(({ action, reason, by }) => [action, reason, by]),
        [['close', hostile, 'me']],
      );
    }
  });

  it('open again when somebody says so', async () => {
    const own = id('9');
    await ship(encodeCases([row(own)]));
    const found = await getCase(store.client, own);
    assert.ok(found.status === 'found');
    const at = Date.now();
    const close = { action: 'close', disposition: 'benign', reason: 'drill', by: 'me' } as const;
    await addCaseEvent(store.client, found.found, close, new Date(at));
    const reopen = { action: 'reopen', disposition: '', reason: 'not so', by: 'you' } as const;
    await addCaseEvent(store.client, found.found, reopen, new Date(at + 1));
    const after = await getCase(store.client, own);
    assert.ok(after.status === 'found');
    assert.equal(after.found.status, 'open');
    assert.deepEqual(
      after.events.map(({ action }) => action),
      ['close', 'reopen'],
    );
  });
});

describe('findings that fold repeats', () => {
  it('replace each other although the earliest span of them changes', async () => {
    const first = finding({ id: 'fd'.repeat(16), timeNanos: nanos + 3_000_000_000n, chainId: id('1'), version: 1n });
    await ship(encodeFindings([first]));
    await ship(encodeFindings([{ ...first, timeNanos: nanos + 1_000_000_000n, count: 2, version: 2n }]));
    const found = (await listFindings(store.client)).filter((each) => each.id === first.id);
    assert.deepEqual(
      found.map(({ time, count }) => [time.slice(11, 19), count]),
      [['00:00:01', 2]],
    );
  });
});
