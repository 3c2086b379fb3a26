import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TraceDecoder } from '../decode/trace-decoder.ts';
import { loadRules } from '../detect/load.ts';
import { madeFinding } from '../detect/testing/made-finding.ts';
import { createFieldTable } from '../model/fields.ts';
import { NormalisedEvents } from '../normalise/span-events.ts';
import { storedFacts } from '../normalise/stored-facts.ts';
import { encodeFindings } from '../store/rows/findings.ts';
import { SpanRowEncoder } from '../store/rows/otel-traces.ts';
import { openTestStore, type TestStore } from '../store/testing/embedded.ts';
import { otlpProtobuf } from '../testing/otlp.ts';
import { explainStored } from './explain-stored-correlation.ts';

const { correlations } = loadRules([
  {
    path: 'r.yml',
    text: `title: Shell
name: shell
logsource: {product: ai_agent, category: tool}
detection: {s: {gen_ai.tool.name: bash}, condition: s}
---
title: Many
correlation: {type: event_count, rules: [shell], group-by: [user.id], timespan: 10m, condition: {gte: 3}}
`,
  },
]);

const nowMs = Date.now();
const hex = (n: number, length: number) => n.toString(16).padStart(length, '0');
const spanAt = (n: number, seconds: number, user: string, tool = 'bash') => ({
  traceId: hex(n, 32),
  spanId: hex(n, 16),
  startNanos: BigInt(nowMs - 3_600_000 + seconds * 1000) * 1_000_000n,
  attributes: {
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': tool,
    ...(user !== '' && { 'user.id': user }),
  },
});

let db: TestStore;
before(async () => {
  db = await openTestStore();
  const fields = createFieldTable();
  const spans = [
    spanAt(1, 0, 'eve'),
    spanAt(2, 100, 'eve'),
    spanAt(3, 200, 'ada'),
    spanAt(4, 599, 'eve'),
    spanAt(5, 1300, 'eve'),
    spanAt(6, 1301, 'eve', 'ls'),
    spanAt(7, 1302, ''),
  ];
  const decoded = new TraceDecoder(fields).decode(otlpProtobuf(spans));
  assert.ok(decoded.status === 'ok');
  const events = new NormalisedEvents(fields).bind(decoded.batch);
  const range = { fromMs: nowMs - 86_400_000, toMs: nowMs };
  await db.insert(new SpanRowEncoder(fields, storedFacts).encode(decoded.batch, range, events));
});
after(() => db.close());

const explained = (n: number) => explainStored(db.store.client, correlations[0]!, `${hex(n, 32)}/${hex(n, 16)}`);

test('a stored span is explained in its group, with the spans around it', async () => {
  const { matched, groups, names, isListed } = await explained(2);
  assert.deepEqual([matched, isListed, groups.length], [true, true, 1]);
  const [{ steps }] = groups as [(typeof groups)[number]];
  assert.deepEqual(
    steps.map(({ span, measured, holds }) => [names?.[span]?.slice(31, 32), measured, holds]),
    [
      ['1', '1', false],
      ['2', '2', false],
      ['4', '3', true],
    ],
  );
});

test('one that matches and has no finding in the store is told as such', async () => {
  assert.equal((await explained(3)).isUnfound, false, 'it does not match');
  assert.equal((await explained(2)).isUnfound, true);
  const finding = { ...madeFinding({ ruleId: 'Many', traceId: hex(4, 32), spanId: hex(4, 16) }) };
  await db.insert(encodeFindings([{ ...finding, timeNanos: BigInt(nowMs - 3_000_000) * 1_000_000n }]));
  assert.equal((await explained(2)).isUnfound, false);
});

test('one whose group does not get there is told how far it got', async () => {
  const { matched, groups } = await explained(3);
  assert.equal(matched, false);
  assert.match(groups[0]!.missing.join(), /measures 1, 2 short of 3/);
});

test('one that no listed rule matches, and one without a group, are told as such', async () => {
  const other = await explained(6);
  assert.deepEqual([other.isListed, other.matched, other.groups], [false, false, []]);
  const keyless = await explained(7);
  assert.deepEqual([keyless.isListed, keyless.matched, keyless.groups], [true, false, []]);
  assert.equal(keyless.withoutKey.length, 1);
});

test('one that is not stored is refused', async () => {
  await assert.rejects(explained(9), /no span of this trace is stored/);
});
