import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Case } from '../model/case.ts';
import { type Finding, versionOf } from '../model/finding.ts';
import {
  caseStates,
  caseStatesById,
  casesOfChains,
  countStates,
  findingStates,
  findingStatesById,
  type StoredState,
} from './export-reader.ts';
import { encodeCases } from './rows/cases.ts';
import { encodeFindings } from './rows/findings.ts';
import { openTestStore, type TestStore } from './testing/embedded.ts';
import { finding } from './testing/segments.ts';

let opened: TestStore;
let store: TestStore['store'];
let ship: TestStore['insert'];

before(async () => {
  opened = await openTestStore();
  ({ store, insert: ship } = opened);
});
after(() => opened.close());

async function all<T>(pages: AsyncIterable<StoredState<T>[]>): Promise<T[]> {
  const states: T[] = [];
  for await (const page of pages) states.push(...page.map(({ state }) => state));
  return states;
}

const dayMs = 86_400_000;
const today = Math.floor(Date.now() / dayMs);
const base = BigInt(today) * 86_400_000_000_000n;
const stretch = { sinceMs: today * dayMs, untilMs: (today + 1) * dayMs };
const hostile = `O'Neil {a:String} "x"\n\u001b[31m; DROP TABLE cases`;
const hex = (number: number): string => number.toString(16).padStart(32, '0');

function numbered(number: number, changes: Partial<Finding> = {}): Finding {
  const at = base + BigInt(number);
  return finding({ id: hex(number), timeNanos: at, lastSeenNanos: at + 3n, chainId: hex(9000 + number), ...changes });
}

test('findings come back as the model had them, the newest state of each, under the version of the stream', async () => {
  const first = numbered(1, { userId: hostile, count: 2 });
  const newest = {
    ...first,
    lastSeenNanos: base + 900n,
    count: 7,
    session: { id: '5e'.repeat(16), source: 'prefix' as const },
  };
  const second = numbered(2, { version: base * 3n, conversationId: '' });
  const late = numbered(3, { timeNanos: base + BigInt(dayMs) * 1_000_000n });
  await ship(encodeFindings([first, newest, second, late]));
  const read = await all(findingStates(store.client, stretch));
  const expected = [newest, second].map((each) => ({ count: 1, ...each, version: versionOf(each) }));
  assert.deepEqual(read, expected);
  assert.deepEqual(read.map(versionOf), [base + 900n, base * 3n]);
  const [byId] = await findingStatesById(store.client, [hex(2).slice(0, 32)]);
  assert.deepEqual(byId?.state, expected[1]);
  assert.ok(Math.abs(Date.now() - byId!.takenMs) < 600_000);
  assert.deepEqual(await findingStatesById(store.client, []), []);
});

test('cases come back as the model had them, and chains lead to them', async () => {
  const row: Case = {
    ...{
      id: hex(1),
      version: 5n,
      day: today,
      mergedInto: '',
      headline: hostile,
      level: 'high',
      raisedBy: 'two agents',
    },
    ...{ firstSeenNanos: base + 1n, lastSeenNanos: base + 5n, findings: 2, count: 3 },
    votes: [{ ruleId: 'rule', ruleTitle: hostile, level: 'high', findings: 1, count: 3 }],
    timeline: [
      {
        ...{
          findingId: hex(1),
          timeNanos: base + 1n,
          lastSeenNanos: base + 5n,
          count: 3,
          ruleId: 'rule',
          level: 'low',
        },
        ...{ ruleTitle: 'Rule', traceId: hex(7), spanId: '', spanName: 'span', agentName: hostile, toolName: 'tool' },
        shown: 'what matched',
      },
    ],
    ...{ agents: [hostile], users: ['u'], conversations: ['c'], traceIds: [hex(7)], chainIds: [hex(1), hex(9002)] },
    ...{ alertSeq: 2, alerted: true },
  };
  const merged: Case = { ...row, id: hex(2), version: 6n, mergedInto: hex(1), chainIds: [hex(2)] };
  await ship(encodeCases([{ ...row, version: 4n, alertSeq: 1 }, row, merged]));
  assert.deepEqual(await all(caseStates(store.client, stretch)), [row]);
  assert.deepEqual(
    (await caseStatesById(store.client, [hex(1)])).map(({ state }) => state),
    [row],
  );
  assert.deepEqual(
    [...(await casesOfChains(store.client, [hex(9002), 'none']))],
    [
      [hex(1), hex(1)],
      [hex(9002), hex(1)],
    ],
  );
  assert.deepEqual(await countStates(store.client, stretch), { findings: 2, cases: 1 });
});

test('pages go on where the one before ended, also among findings of the same time', async () => {
  const many = Array.from({ length: 1_203 }, (_, index) => numbered(10_000 + index, { timeNanos: base + 1_000_000n }));
  await ship(encodeFindings(many));
  const later = { ...stretch, sinceMs: stretch.sinceMs + 1 };
  const read = await all(findingStates(store.client, later));
  assert.deepEqual(
    read.map(({ id }) => id),
    many.map(({ id }) => id),
  );
});
