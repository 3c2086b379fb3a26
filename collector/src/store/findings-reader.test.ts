import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { clickhouseConfigSchema } from './config.ts';
import { findingsAfter, getFinding, listFindings, rowCounts, tailStart, traceSpans } from './findings-reader.ts';
import { openStore, type Store } from './index.ts';
import { encodeFindings } from './rows/findings.ts';
import { finding, MemorySource, segment, spanRows } from './testing/segments.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'spanwarden-reader-'));
let store: Store;

before(async () => {
  store = await openStore(clickhouseConfigSchema.parse({}), { dataDir });
  await store.migrated();
});
after(async () => {
  await store.close();
  rmSync(dataDir, { recursive: true, force: true });
});

async function rowsOf<T>(query: string): Promise<T[]> {
  const result = await store.client.query({ query, format: 'JSONEachRow' });
  return result.json<T>();
}

async function count(table: string): Promise<number> {
  const [row] = await rowsOf<{ n: string }>(`SELECT count() AS n FROM ${table}`);
  return Number(row!.n);
}

/** Ships until every segment of the source is settled. */
async function ship(source: MemorySource, segments: number, on: Store = store): Promise<void> {
  const stop = new AbortController();
  const running = on.run(source, stop.signal);
  await source.settled(segments);
  stop.abort();
  await running;
}

describe('reading back', () => {
  const stitched = { 'spanwarden.session': '5e'.repeat(16), 'spanwarden.session.source': 'prefix' };
  const base = BigInt(Date.UTC(2026, 10, 20)) * 1_000_000n;
  const stored = [
    finding({ id: `aa${'1'.repeat(30)}`, timeNanos: base + 1n, level: 'low', ruleId: 'rule-1', agentName: 'one' }),
    finding({ id: `aa${'2'.repeat(30)}`, timeNanos: base + 2n, level: 'high', ruleId: 'rule-2', agentName: 'two' }),
    finding({
      id: `bb${'3'.repeat(30)}`,
      timeNanos: base + 3n,
      level: 'critical',
      ruleTitle: 'Money gone',
      agentName: 'two',
      traceId: 'read',
      conversationId: '',
      session: { id: '5e'.repeat(16), source: 'tool_call' },
    }),
  ];
  const ids = (findings: readonly { id: string }[]) => findings.map(({ id }) => id.slice(0, 3));
  let started: Date;

  before(async () => {
    started = new Date();
    await ship(
      new MemorySource(
        segment(
          'read',
          encodeFindings(stored),
          spanRows([
            { traceId: 'read', spanId: 'b', timeNanos: base + 3_000_000_000n },
            { traceId: 'read', spanId: 'a', timeNanos: base, attributes: { key: "it's" } },
            { traceId: 'alone', spanId: 'c', timeNanos: base, facts: stitched },
            { traceId: 'of', spanId: 'd', timeNanos: base, attributes: { 'gen_ai.conversation.id': 'talk' } },
          ]),
        ),
      ),
      1,
    );
  });

  it('gives findings back as they were, newest first', async () => {
    const found = await listFindings(store.client, { since: new Date(Date.UTC(2026, 10, 20)), limit: 100 });
    const [newest] = found.filter(({ id }) => id.startsWith('bb'));
    const { time, count: seen, lastSeen, insertedAt, sessionId, sessionSource, ...rest } = newest!;
    const { timeNanos, session, ...original } = stored[2]!;
    assert.deepEqual(rest, original);
    assert.deepEqual({ id: sessionId, source: sessionSource }, session);
    assert.equal(time, '2026-11-20T00:00:00.000000003Z');
    assert.equal(lastSeen, time);
    assert.equal(seen, 1);
    assert.ok(Date.parse(insertedAt) >= started.getTime() - 1);
    assert.ok(timeNanos > 0n);
    const old = ids(found).filter((id) => id.startsWith('aa') || id.startsWith('bb'));
    assert.deepEqual(old, ['bb3', 'aa2', 'aa1']);
  });

  it('knows the session of every span', async () => {
    const rows = await rowsOf<{ SpanId: string; id: string; source: string }>(
      "SELECT SpanId, SessionId AS id, SessionSource AS source FROM otel_traces WHERE SpanId IN ('a', 'c', 'd') ORDER BY SpanId",
    );
    assert.deepEqual(
      rows.map(({ SpanId, id, source }) => `${SpanId} ${id} ${source}`),
      ['a read trace', `c ${'5e'.repeat(16)} prefix`, 'd talk conversation'],
    );
  });

  it('filters by parameters, whatever they hold', async () => {
    const list = async (filter: Parameters<typeof listFindings>[1]) => ids(await listFindings(store.client, filter));
    assert.deepEqual(await list({ rule: 'rule-1' }), ['aa1']);
    assert.deepEqual(await list({ rule: 'mOnEy' }), ['bb3']);
    assert.deepEqual(await list({ agent: 'two', level: 'critical' }), ['bb3']);
    assert.deepEqual(await list({ agent: 'two', limit: 1 }), ['bb3']);
    assert.deepEqual(await list({ traceId: 'read' }), ['bb3']);
    assert.deepEqual(await list({ sessionId: '5e'.repeat(16) }), ['bb3']);
    for (const text of ["' OR 1 = 1 --", '\\', '{x:String}', 'a\tb\nc', '%', '\u0000', '漢']) {
      assert.deepEqual(
        await list({ rule: text, agent: text, traceId: text, conversationId: text, sessionId: text }),
        [],
        text,
      );
    }
  });

  it('finds one by the start of its id, and says when that is not enough', async () => {
    const found = await getFinding(store.client, 'bb3');
    assert.ok(found.status === 'found' && found.finding.id === stored[2]!.id);
    assert.equal((await getFinding(store.client, 'aa')).status, 'ambiguous');
    assert.equal((await getFinding(store.client, 'cc')).status, 'none');
    assert.equal((await getFinding(store.client, "%' OR 1")).status, 'none');
  });

  it('follows what is inserted, each once', async () => {
    const first = await findingsAfter(store.client, tailStart(started));
    assert.deepEqual(ids(first.findings), ['aa1', 'aa2', 'bb3']);
    assert.deepEqual((await findingsAfter(store.client, first.cursor)).findings, []);
    const late = finding({ id: `dd${'4'.repeat(30)}`, timeNanos: base });
    await ship(new MemorySource(segment('late-finding', encodeFindings([late]))), 1);
    const next = await findingsAfter(store.client, first.cursor);
    assert.deepEqual(ids(next.findings), ['dd4']);
  });

  it('shows an updated finding once, in its newest version', async () => {
    await store.client.insert({
      table: 'findings',
      values: [
        {
          FindingId: stored[0]!.id,
          Timestamp: '2026-11-20 00:00:00.000000001',
          Version: '9999999999999999999',
          Reason: 'newer',
          Level: 'low',
          Severity: 2,
          Count: 7,
        },
      ],
      format: 'JSONEachRow',
      clickhouse_settings: { async_insert: 0 },
    });
    const found = await getFinding(store.client, stored[0]!.id);
    assert.ok(found.status === 'found');
    assert.deepEqual([found.finding.reason, found.finding.count], ['newer', 7]);
  });

  it('shows findings as logs', async () => {
    const [row] = await rowsOf<Record<string, unknown>>("SELECT * FROM findings_logs WHERE TraceId = 'read'");
    assert.equal(row!.Body, 'Money gone: Something that should not be.');
    assert.equal(row!.SeverityText, 'critical');
    assert.equal(row!.SeverityNumber, 21);
    assert.equal((row!.LogAttributes as Record<string, string>)['finding.id'], stored[2]!.id);
  });

  it('gives the spans of a trace in order, and counts rows', async () => {
    const spans = await traceSpans(store.client, 'read');
    assert.deepEqual(
      spans.map(({ spanId }) => spanId),
      ['a', 'b'],
    );
    assert.deepEqual(spans[0]!.attributes, { key: "it's" });
    assert.equal(spans[0]!.durationNanos, '5000000');
    assert.deepEqual(await traceSpans(store.client, "x' OR 1 = 1"), []);
    const counts = await rowCounts(store.client);
    assert.equal(counts.otel_traces, await count('otel_traces'));
    assert.equal(counts.findings, await count('findings FINAL'));
  });
});
