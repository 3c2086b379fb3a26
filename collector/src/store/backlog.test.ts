import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Case } from '../model/case.ts';
import type { Rows } from '../model/spool.ts';
import { readBacklog } from './backlog.ts';
import { insertRows } from './inserter.ts';
import { encodeCases } from './rows/cases.ts';
import { encodeFindings } from './rows/findings.ts';
import { caseRow } from './testing/cases.ts';
import { openTestStore, type TestStore } from './testing/embedded.ts';
import { finding } from './testing/segments.ts';

let store: TestStore;
before(async () => {
  store = await openTestStore();
});
after(() => store.close());

const spoolId = '0123456789abcdef';

async function ship(segment: number, rows: Rows, spool = spoolId): Promise<void> {
  const token = `${spool}-${String(segment).padStart(16, '0')}-00000000:${rows.table}`;
  const sent = { table: rows.table, columns: 0, token, buffers: [rows.bytes] };
  assert.equal(await insertRows(store.store.client, sent), undefined);
}

const id = (n: number) => n.toString(16).padStart(32, '0');

test('findings and cases of segments come back in their order, a page at a time', async () => {
  const nanos = BigInt(Date.now()) * 1_000_000n;
  for (let segment = 1; segment <= 20; segment++) {
    const two = [finding({ id: id(segment), version: 2n }), finding({ id: id(segment + 100), version: 1n })];
    await ship(segment, encodeFindings(two.map((each) => ({ ...each, timeNanos: nanos }))));
  }
  const row: Case = caseRow(id(7), { version: 5n });
  await ship(18, encodeCases([row]));
  await ship(18, encodeFindings([finding({ id: id(999) })]), 'fedcba9876543210');
  const range = { spoolId, fromSegment: 2, throughSegment: 30 };
  const first = await readBacklog(store.store.client, range);
  assert.equal(first.throughSegment, 17);
  const rest = await readBacklog(store.store.client, { ...range, fromSegment: 18 });
  assert.equal(rest.throughSegment, 30);
  const segments = [...first.segments, ...rest.segments];
  assert.deepEqual(
    segments.map(({ segment, findings }) => [segment, findings.map((each) => each.id)]),
    Array.from({ length: 19 }, (_, i) => [i + 2, [id(i + 102), id(i + 2)]]),
  );
  assert.deepEqual(segments.find(({ segment }) => segment === 18)?.cases, [row]);
  assert.ok(segments.every(({ insertedMs }) => Math.abs(insertedMs - Date.now()) < 600_000));
});

test('rows of before know no segment and are never read', async () => {
  await store.store.client.command({
    query: `INSERT INTO findings (FindingId, Timestamp) VALUES ('${id(1234)}', now64(9))`,
  });
  const { segments } = await readBacklog(store.store.client, { spoolId: '', fromSegment: 0, throughSegment: 10 });
  assert.deepEqual(
    segments.map(({ segment }) => segment),
    [0],
  );
  const own = await readBacklog(store.store.client, { spoolId, fromSegment: 0, throughSegment: 0 });
  assert.deepEqual(own.segments, []);
});
