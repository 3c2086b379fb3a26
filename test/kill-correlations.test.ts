import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { otlpProtobuf, type TestSpan } from '../collector/src/testing/otlp.ts';
import { clickhouseOf } from './support/clickhouse.ts';
import { CollectorProcess, createHome, eventually, sendTraces } from './support/collector-process.ts';

/**
 * Invariant 4 with a real process: the findings of correlations in ClickHouse are those of a run in which nothing happened,
 * although the collector dies again and again in the middle of their windows. `SPANWARDEN_KILLS=20` says how often.
 */
const kills = Number(process.env.SPANWARDEN_KILLS ?? 3);
const requestsPerRound = 30;
const senders = 3;

const rules = `
title: Pay
name: pay
logsource: {product: ai_agent, category: tool}
detection: {s: {gen_ai.tool.name: pay}, condition: s}
---
title: Read
name: read
logsource: {product: ai_agent, category: tool}
detection: {s: {gen_ai.tool.name: read}, condition: s}
---
title: Many payments
name: many
correlation: {type: event_count, rules: [pay], group-by: [gen_ai.conversation.id], timespan: 10s, condition: {gte: 4}, generate: true}
level: high
---
title: Hardly any reading
correlation: {type: event_count, rules: [read], group-by: [gen_ai.conversation.id], timespan: 30s, condition: {lte: 2}}
level: low
---
title: Many receivers
correlation: {type: value_count, rules: [pay], group-by: [gen_ai.agent.name], timespan: 1m, condition: {gte: 5, field: gen_ai.tool.call.id}}
level: medium
---
title: Many again and again
correlation: {type: event_count, rules: [many], group-by: [], timespan: 5m, condition: {gte: 3}}
level: critical
`;

const rulesDirectory = mkdtempSync(join(tmpdir(), 'spanwarden-rules-'));
writeFileSync(join(rulesDirectory, 'r.yml'), rules);
after(() => rmSync(rulesDirectory, { recursive: true, force: true }));

/** Spans of an hour ago, half a second after each other: the same in every run. */
const spanEveryNanos = 500_000_000n;
const requests = Array.from({ length: kills * requestsPerRound }, (_, index) => requestAt(index));
const first = BigInt(Date.now() - 3_600_000) * 1_000_000n;

function requestAt(index: number): () => Buffer {
  return () => otlpProtobuf(Array.from({ length: 4 }, (_, place) => spanAt(index * 4 + place)));
}

function spanAt(number: number): TestSpan {
  const endNanos = first + BigInt(number) * spanEveryNanos;
  const mixed = (number * 2_654_435_761) % 4_294_967_296;
  const attributes = {
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': ['pay', 'read', 'look', 'look'][mixed % 4]!,
    'gen_ai.conversation.id': `c${(mixed >>> 8) % 5}`,
    'gen_ai.agent.name': `a${(mixed >>> 12) % 3}`,
    'gen_ai.tool.call.id': `k${(mixed >>> 16) % 9}`,
  };
  const spanId = (number + 1).toString(16).padStart(16, '0');
  return { traceId: '0af7651916cd43dd8448eb211c80319c', spanId, startNanos: endNanos - 1n, endNanos, attributes };
}

/** Sends all requests, each until it is heard; with kills in between if so asked. Gives the findings in ClickHouse. */
async function run(isKilled: boolean): Promise<{ readonly findings: readonly string[]; readonly replayed: number }> {
  const home = createHome(
    `detect: { shipped_rules: false, rules: [${JSON.stringify(rulesDirectory)}], allowed_lateness_ms: 60000, checkpoint_interval_ms: 200 }\n` +
      'spool: { segment_age_max_ms: 100, grace_ms: 0 }\n',
  );
  const live = { collector: await CollectorProcess.start(home) };
  after(async () => {
    await live.collector.end('SIGKILL');
    home.remove();
  });
  let replayed = 0;
  for (let round = 0; round < kills; round++) {
    const queue = requests.slice(round * requestsPerRound, (round + 1) * requestsPerRound);
    const sending = Array.from({ length: senders }, () => sendAll(queue, live));
    if (isKilled) {
      await new Promise((done) => setTimeout(done, 20 + Math.random() * 400));
      await live.collector.end('SIGKILL');
      live.collector = await CollectorProcess.start(home);
      replayed += await metric(live.collector.url, 'spanwarden_state_replayed_pieces');
    }
    await Promise.all(sending);
  }
  // Long after all the others, so that every window is over.
  await sendTraces(live.collector.url, otlpProtobuf([spanAt(requests.length * 4 + 3600)]));
  assert.equal(await live.collector.end('SIGTERM'), 0);
  live.collector = await CollectorProcess.start(home);
  const clickhouse = clickhouseOf(home.dataDir);
  const findings = await eventually('all findings in ClickHouse', async () => {
    if ((await metric(live.collector.url, 'spanwarden_spool_segments')) > 0) return undefined;
    const rows = await clickhouse.rows<object>(
      `SELECT RuleTitle, FindingId, Timestamp, GroupKey, SpanId, Count, LastSeen, Evidence.Excerpt AS e FROM findings FINAL
       WHERE RuleTitle NOT IN ('Pay', 'Read') ORDER BY RuleTitle, Timestamp, FindingId`,
    );
    return rows.map((row) => JSON.stringify(row));
  });
  await clickhouse.close();
  assert.equal(await live.collector.end('SIGTERM'), 0);
  return { findings, replayed };
}

async function sendAll(queue: (() => Buffer)[], live: { collector: CollectorProcess }): Promise<void> {
  for (let next = queue.shift(); next; next = queue.shift()) {
    const body = next();
    while (!(await sendTraces(live.collector.url, body))) await new Promise((done) => setTimeout(done, 10));
    await new Promise((done) => setTimeout(done, 5));
  }
}

async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
}

test(`kill -9 at ${kills} random moments changes no finding of a correlation`, async () => {
  const [wanted, { findings, replayed }] = await Promise.all([run(false), run(true)]);
  assert.ok(wanted.findings.length > 10, `only ${wanted.findings.length} findings`);
  assert.ok(replayed > 0, 'no start had anything to replay');
  assert.deepEqual(findings, wanted.findings);
});
