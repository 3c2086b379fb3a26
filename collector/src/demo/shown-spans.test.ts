import assert from 'node:assert/strict';
import { test } from 'node:test';
import { otlpJsonToProtobuf } from '../decode/json.ts';
import { TraceDecoder } from '../decode/trace-decoder.ts';
import { createFieldTable } from '../model/fields.ts';
import { NormalisedEvents } from '../normalise/span-events.ts';
import { storySpans } from './shown-spans.ts';

test('a model call that asks for tools says which', () => {
  const output = [
    { role: 'assistant', parts: [{ type: 'tool_call', id: 'c1', name: 'payments_refund', arguments: {} }] },
  ];
  const [span] = shown({ 'gen_ai.operation.name': 'chat', 'gen_ai.output.messages': JSON.stringify(output) });
  assert.equal(span?.detail, 'asks for payments_refund');
  assert.deepEqual(span?.tools, ['payments_refund']);
});

test('a model call that answers says what', () => {
  const output = [{ role: 'assistant', parts: [{ type: 'text', content: 'Hello, Tom' }] }];
  const [span] = shown({ 'gen_ai.operation.name': 'chat', 'gen_ai.output.messages': JSON.stringify(output) });
  assert.equal(span?.detail, '“Hello, Tom”');
});

test('a tool call shows its arguments, names are compared without dots', () => {
  const [span] = shown({
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': 'payments.refund',
    'gen_ai.tool.call.arguments': '{"order_id":"A-1","amount":5}',
  });
  assert.equal(span?.detail, 'order_id=A-1 amount=5');
  assert.deepEqual(span?.tools, ['payments_refund']);
});

test('ids, times and the run are copied out of the batch', () => {
  const [span] = shown({});
  assert.deepEqual(span, {
    run: 'demo-run-a',
    traceId: 'a'.repeat(32),
    spanId: 'b'.repeat(16),
    parentSpanId: '',
    name: 'x',
    tools: [],
    detail: '',
    startNanos: 1_000_000_000n,
    durationMs: 2,
    failed: true,
  });
});

function shown(attributes: Record<string, string>) {
  const body = {
    resourceSpans: [
      {
        resource: { attributes: keyValues({ 'service.instance.id': 'demo-run-a' }) },
        scopeSpans: [
          {
            spans: [
              {
                traceId: 'a'.repeat(32),
                spanId: 'b'.repeat(16),
                name: 'x',
                startTimeUnixNano: '1000000000',
                endTimeUnixNano: '1002000000',
                attributes: keyValues(attributes),
                status: { code: 2 },
              },
            ],
          },
        ],
      },
    ],
  };
  const fields = createFieldTable();
  const events = new NormalisedEvents(fields);
  const encoded = otlpJsonToProtobuf(Buffer.from(JSON.stringify(body)));
  assert.ok(encoded.status === 'ok');
  const decoded = new TraceDecoder(fields).decode(encoded.bytes);
  assert.ok(decoded.status === 'ok');
  return storySpans(events.bind(decoded.batch), fields);
}

function keyValues(attributes: Record<string, string>) {
  return Object.entries(attributes).map(([key, stringValue]) => ({ key, value: { stringValue } }));
}
