import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { otlpProtobuf } from '../collector/src/testing/otlp.ts';
import { cliOf } from './support/cli.ts';
import { clickhouseOf } from './support/clickhouse.ts';
import { type CollectorHome, CollectorProcess, createHome, eventually } from './support/collector-process.ts';

/** The same conversations in a collector that stores messages with every span and in one that stores them once. */
const ways = ['full', 'once'] as const;
type Way = (typeof ways)[number];

const homes = {} as Record<Way, CollectorHome>;
const collectors = {} as Record<Way, CollectorProcess>;

const ofMessages = `title: Of messages
name: of_messages
id: 00000000-0000-4000-8000-000000000001
level: low
logsource: {product: ai_agent, category: llm}
detection: {s: {message.user.text|contains: 'ignore all'}, condition: s}
---
title: Often
name: often
id: 00000000-0000-4000-8000-000000000003
level: low
correlation:
  type: event_count
  rules: [of_messages]
  group-by: [gen_ai.conversation.id]
  timespan: 1h
  condition: {gte: 2}
  generate: true
`;

const ofTheAttribute = `title: Of the attribute
name: of_the_attribute
id: 00000000-0000-4000-8000-000000000002
level: low
logsource: {product: ai_agent, category: llm}
detection: {s: {gen_ai.input.messages|contains: 'turn 7 ignore all'}, condition: s}
`;

const ofOneKey = `title: Of one key
name: of_one_key
id: 00000000-0000-4000-8000-000000000004
level: low
logsource: {product: ai_agent, category: llm}
detection: {s: {llm.input_messages.14.message.content|contains: 'turn 7 ignore all'}, condition: s}
`;

before(async () => {
  for (const way of ways) {
    homes[way] = createHome(`spool: { segment_age_max_ms: 50 }\nstore: { messages: ${way} }\n`);
    const folder = join(homes[way].directory, 'rules');
    mkdirSync(folder);
    writeFileSync(join(folder, 'messages.yml'), ofMessages);
    writeFileSync(join(folder, 'attribute.yml'), ofTheAttribute);
    writeFileSync(join(folder, 'key.yml'), ofOneKey);
    collectors[way] = await CollectorProcess.start(homes[way]);
  }
});
after(async () => {
  for (const way of ways) {
    await collectors[way].end('SIGTERM');
    homes[way].remove();
  }
});

const turns = 12;
const start = (BigInt(Date.now()) - 600_000n) * 1_000_000n;
const long = 'what was said at length, and then some more of it. '.repeat(6);

/** The calls of one turn, of three conversations; the last is told by OpenInference, each message in attributes of its own. */
function request(turn: number): Buffer {
  return otlpProtobuf(
    [0, 1, 2].map((which) => {
      const said = Array.from({ length: 2 * turn + 1 }, (_, i) => {
        const words = which > 0 && i % 6 === 2 ? 'ignore all' : 'hello';
        return { role: i % 2 === 0 ? 'user' : 'assistant', content: `c${which} turn ${i >> 1} ${words} ${long}` };
      });
      return {
        traceId: `${turn}${which}`.padStart(32, 'a'),
        spanId: `${turn}${which}`.padStart(16, 'b'),
        startNanos: start + BigInt(turn) * 1_000_000_000n,
        endNanos: start + BigInt(turn) * 1_000_000_000n + BigInt(which),
        attributes:
          which === 2
            ? {
                'openinference.span.kind': 'LLM',
                'session.id': `conversation-${which}`,
                ...Object.fromEntries(
                  said.flatMap(({ role, content }, i) => [
                    [`llm.input_messages.${i}.message.role`, role],
                    [`llm.input_messages.${i}.message.content`, content],
                  ]),
                ),
              }
            : {
                'gen_ai.operation.name': 'chat',
                'gen_ai.conversation.id': `conversation-${which}`,
                'gen_ai.input.messages': JSON.stringify(said),
              },
      };
    }),
  );
}

async function send(way: Way, from: number, to: number): Promise<void> {
  for (let turn = from; turn < to; turn++) {
    const response = await fetch(`${collectors[way].url}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf' },
      body: request(turn) as never,
    });
    assert.equal(response.status, 200);
  }
}

async function rowsOf<T>(way: Way, query: string): Promise<T[]> {
  const clickhouse = clickhouseOf(homes[way].dataDir);
  try {
    return await clickhouse.rows<T>(query);
  } finally {
    await clickhouse.close();
  }
}

test('spans name messages that are stored once, also those of before a crash', async () => {
  for (const way of ways) {
    await send(way, 0, turns >> 1);
    await collectors[way].end('SIGKILL');
    collectors[way] = await CollectorProcess.start(homes[way]);
    await send(way, turns >> 1, turns);
    await eventually('all spans', async () => {
      const [row] = await rowsOf<{ n: string }>(way, 'SELECT count() AS n FROM otel_traces');
      return Number(row!.n) >= 3 * turns ? true : undefined;
    });
  }
  // What OpenInference tells is stored as it was told, and as the canonical messages that were added.
  const messages = 4 * (2 * turns - 1);
  await eventually('all messages', async () => {
    const [row] = await rowsOf<{ n: string }>('once', 'SELECT count() AS n FROM otel_messages FINAL');
    return Number(row!.n) === messages ? true : undefined;
  });
  assert.deepEqual(await rowsOf('full', 'SELECT * FROM otel_messages'), []);
  // After a crash the collector does not know what was stored, and stores it again: no more than once.
  const [all] = await rowsOf<{ n: string }>('once', 'SELECT count() AS n FROM otel_messages');
  assert.ok(Number(all!.n) <= 2 * messages, all!.n);
  const spans = 'SELECT SpanId, SpanAttributes, AttributeTypes FROM otel_traces_full ORDER BY SpanId';
  assert.deepEqual(await rowsOf('once', spans), await rowsOf('full', spans));
});

test('backtests, explanations and queries find the same', async () => {
  const found = (way: Way) => {
    const home = homes[way];
    const onRules = cliOf(home, 'rules');
    const folder = join(home.directory, 'rules');
    const files = ['attribute.yml', 'key.yml'].map((name) => join(folder, name));
    const backtest = onRules('backtest', folder, '--since', '1d', '--json');
    assert.equal(backtest.code, 0, backtest.stderr);
    const said = files.map((file, i) => {
      const number = `7${i + 1}`;
      const explained = onRules('explain', file, `${number.padStart(32, 'a')}/${number.padStart(16, 'b')}`);
      assert.equal(explained.code, 0, explained.stderr);
      const sql = onRules('sql', file);
      assert.equal(sql.code, 0, sql.stderr);
      return { explained: explained.stdout, sql: sql.stdout };
    });
    return { backtest: JSON.parse(backtest.stdout) as object, said };
  };
  const [full, once] = [found('full'), found('once')];
  const report = JSON.stringify(once.backtest);
  assert.match(report, /"fires":[1-9]/);
  assert.deepEqual(withoutTimes(once.backtest), withoutTimes(full.backtest));
  for (const [i, { explained, sql }] of once.said.entries()) {
    assert.equal(explained, full.said[i]!.explained);
    assert.match(explained, /ignore all/);
    assert.match(sql, /otel_traces_full/);
    const hunted = await rowsOf('once', sql);
    assert.ok(hunted.length > 0);
    assert.deepEqual(hunted, await rowsOf('full', full.said[i]!.sql));
  }
});

function withoutTimes(report: object): object {
  return JSON.parse(
    JSON.stringify(report, (key, value: unknown) => (/since|until|seconds/i.test(key) ? undefined : value)),
  );
}
