import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { beforeEach, test } from 'node:test';
import { SpanStatusCode } from '@opentelemetry/api';
import { agent, retrieval, session, tool, user } from '../../instrumentation/src/manual.ts';
import { attributesOf, startRecorder } from '../support/recorder.ts';

// The API uses the provider that is registered for the process; here that is the recorder's.
const recorder = startRecorder();

beforeEach(() => recorder.reset());

function only(name: string) {
  const found = recorder.spans().filter((span) => span.name === name);
  assert.equal(found.length, 1, name);
  return found[0];
}

test('agent, session and user stand on every span inside, and nowhere else', async () => {
  const refund = tool('refund', async (order: { id: string }) => `paid ${order.id}`);
  const answer = await session('s-1', () =>
    user('u-1', () => agent('support', () => refund({ id: 'A1' }), { id: 'agent-7', version: '2' })),
  );
  assert.equal(answer, 'paid A1');
  await refund({ id: 'A2' });
  const outer = only('invoke_agent support');
  assert.equal(attributesOf(outer)['gen_ai.agent.id'], 'agent-7');
  assert.equal(attributesOf(outer)['gen_ai.agent.version'], '2');
  const [inside, outside] = recorder.spans().filter((span) => span.name === 'execute_tool refund');
  assert.equal(inside?.parentSpanContext?.spanId, outer?.spanContext().spanId);
  const told = attributesOf(inside);
  assert.equal(told['gen_ai.agent.name'], 'support');
  assert.equal(told['gen_ai.conversation.id'], 's-1');
  assert.equal(told['user.id'], 'u-1');
  assert.equal(told['gen_ai.tool.call.arguments'], '{"id":"A1"}');
  assert.equal(told['gen_ai.tool.call.result'], 'paid A1');
  for (const key of ['gen_ai.agent.name', 'gen_ai.conversation.id', 'user.id']) {
    assert.equal(key in attributesOf(outside), false);
  }
});

test('user without a function holds for the rest of this execution only', async () => {
  const look = tool('look', () => 1);
  await Promise.all([
    session('s-1', async () => {
      user('u-1');
      await null;
      look();
    }),
    session('s-2', async () => {
      await null;
      look();
    }),
  ]);
  const users = recorder.spans().map((span) => attributesOf(span)['user.id']);
  assert.deepEqual(users.sort(), ['u-1', undefined]);
});

test('a wrapped tool keeps this, name, length, synchronous results and synchronous errors', () => {
  class Shop {
    prefix = 'no ';
    add = tool('add', function (this: Shop, a: number, b: number) {
      if (b < 0) throw new RangeError(`${this.prefix}negative`);
      return a + b;
    });
  }
  const shop = new Shop();
  assert.equal(shop.add(1, 2), 3);
  assert.equal(shop.add.length, 2);
  const error = (() => {
    try {
      shop.add(1, -1);
    } catch (thrown) {
      return thrown;
    }
    return undefined;
  })();
  assert.ok(error instanceof RangeError);
  assert.equal(error.message, 'no negative');
  const [good, bad] = recorder.spans();
  assert.equal(attributesOf(good)['gen_ai.tool.call.arguments'], '[1,2]');
  assert.equal(attributesOf(bad)['error.type'], 'RangeError');
  assert.equal(bad?.status.code, SpanStatusCode.ERROR);
});

test('the very error of a rejected promise comes through', async () => {
  const problem = { custom: true };
  await assert.rejects(
    agent('a', () => Promise.reject(problem)),
    (error) => error === problem,
  );
  assert.equal(only('invoke_agent a')?.status.code, SpanStatusCode.ERROR);
});

test('a call id is found among the arguments; a failing finder is our problem only', () => {
  const run = tool('run', (call: { id: string }) => call.id, { callId: (call: { id: string }) => call.id });
  assert.equal(run({ id: 'call_1' }), 'call_1');
  assert.equal(attributesOf(recorder.spans()[0])['gen_ai.tool.call.id'], 'call_1');
  const broken = tool('broken', () => 'fine', {
    callId: () => {
      throw new Error('finder');
    },
  });
  assert.equal(broken(), 'fine');
});

test('arguments that are no content are neither followed nor thrown over', () => {
  type Loop = { self?: Loop; other?: Loop };
  const loop: Loop = {};
  loop.self = loop;
  loop.other = loop;
  const echo = tool('echo', (value: unknown) => value);
  assert.equal(echo(loop), loop);
  const bytes = new Uint8Array(3);
  assert.equal(echo(bytes), bytes);
  const hostile = {
    toJSON() {
      throw new Error('no');
    },
  };
  assert.equal(echo(hostile), hostile);
  const told = recorder.spans().map((span) => attributesOf(span)['gen_ai.tool.call.arguments']);
  assert.deepEqual(told, ['{"type":"unserializable"}', '{"type":"binary","bytes":3}', '{"type":"unserializable"}']);
});

test('retrieval tells query, source and what was found', async () => {
  const found = await retrieval({ query: 'refund rules', dataSourceId: 'wiki', topK: 2 }, async () => ({
    documents: [{ id: 'd1', content: 'Refunds need approval.' }],
  }));
  assert.equal(found.documents.length, 1);
  const told = attributesOf(only('retrieval wiki'));
  assert.equal(told['gen_ai.retrieval.query.text'], 'refund rules');
  assert.equal(told['gen_ai.retrieval.documents'], '[{"id":"d1","content":"Refunds need approval."}]');
  assert.equal(told['gen_ai.data_source.id'], 'wiki');
  assert.equal(told['gen_ai.retrieval.top_k'], 2);
  assert.deepEqual(
    retrieval('plain', () => ['x']),
    ['x'],
  );
  assert.equal(attributesOf(only('retrieval'))['gen_ai.retrieval.documents'], '["x"]');
});

test('in a process without register and without a provider everything still runs', () => {
  const url = new URL('../../instrumentation/src/manual.ts', import.meta.url).href;
  const script = `
    import { agent, retrieval, session, tool, user } from ${JSON.stringify(url)};
    user('u');
    const add = tool('add', (a, b) => a + b);
    const sum = await session('s', () => agent('a', async () => retrieval('q', () => add(1, 2))));
    process.stdout.write(String(sum));
  `;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  assert.equal(output, '3');
});

test('without content there is only the shape', () => {
  const url = new URL('../support/recorder.ts', import.meta.url).href;
  const manualUrl = new URL('../../instrumentation/src/manual.ts', import.meta.url).href;
  const script = `
    import { startRecorder } from ${JSON.stringify(url)};
    import { retrieval, tool } from ${JSON.stringify(manualUrl)};
    const recorder = startRecorder();
    tool('t', (x) => 'secret result')({ key: 'secret argument' });
    retrieval('secret query', () => [{ content: 'secret document' }]);
    try { tool('t', () => { throw new Error('secret error'); })(); } catch {}
    process.stdout.write(JSON.stringify(recorder.spans().map((span) => [span.attributes, span.status])));
  `;
  for (const mode of ['metadata_only', 'no_tool_content']) {
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      env: { ...process.env, SPANWARDEN_CONTENT: mode },
    });
    assert.equal(output.includes('secret'), false, output);
    assert.match(output, /arguments_hash/);
  }
});
