import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';

const source = new URL('../../instrumentation/src/', import.meta.url);

/** An agent that lives as long as its task: two tool calls one after the other and nothing around them. */
const script = `
  import { agent, tool } from '${new URL('index.ts', source)}';
  const look = tool('look', async (place) => place);
  await look('here');
  await look('there');
  await agent('helper', async () => look('inside'));
`;

test('with SPANWARDEN_AGENT the process is one run of that agent', async () => {
  const spans = await spansOf({ SPANWARDEN_AGENT: 'night-job', SPANWARDEN_CONVERSATION: 'batch-7' });
  const root = spans.find((span) => !span.parentSpanId);
  assert.ok(root);
  assert.equal(root.name, 'invoke_agent night-job');
  assert.equal(attributeOf(root, 'gen_ai.operation.name'), 'invoke_agent');
  assert.deepEqual(
    spans.filter((span) => span.parentSpanId === root.spanId).map((span) => span.name),
    ['execute_tool look', 'execute_tool look', 'invoke_agent helper'],
  );
  for (const span of spans) {
    assert.equal(span.traceId, root.traceId);
    assert.equal(attributeOf(span, 'gen_ai.conversation.id'), 'batch-7');
    // The SDK counts spans from whole milliseconds, so the last digits say nothing.
    assert.ok(BigInt(span.endTimeUnixNano) <= BigInt(root.endTimeUnixNano) + clockNanos, 'the run ends last');
    assert.ok(BigInt(span.startTimeUnixNano) + clockNanos >= BigInt(root.startTimeUnixNano), 'the run starts first');
  }
  const inside = spans.filter((span) => attributeOf(span, 'gen_ai.agent.name') === 'helper');
  assert.equal(inside.length, 2, 'an agent inside keeps its own name');
});

test('without it nothing is put above the spans', async () => {
  const spans = await spansOf({});
  assert.equal(spans.filter((span) => !span.parentSpanId).length, 3);
  assert.equal(new Set(spans.map((span) => span.traceId)).size, 3);
});

const clockNanos = 2_000_000n;

interface JsonSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: { key: string; value: { stringValue?: string } }[];
}

function attributeOf(span: JsonSpan, key: string): string | undefined {
  return span.attributes.find((attribute) => attribute.key === key)?.value.stringValue;
}

/** Runs the script in a process of its own and gives back what it exported, in order of start. */
async function spansOf(env: Record<string, string>): Promise<JsonSpan[]> {
  const spans: JsonSpan[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString();
    for (const { scopeSpans } of JSON.parse(text).resourceSpans) {
      for (const scope of scopeSpans) spans.push(...scope.spans);
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const args = ['--import', new URL('register.ts', source).href, '--input-type=module', '-e', script];
    await promisify(execFile)(process.execPath, args, {
      env: {
        PATH: process.env.PATH,
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
        ...env,
      },
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
  return spans.sort((a, b) => Number(BigInt(a.startTimeUnixNano) - BigInt(b.startTimeUnixNano)));
}
