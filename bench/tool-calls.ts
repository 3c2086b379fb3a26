// `node bench/tool-calls.ts [--quick] [kind]`: what it costs that a tool call counts once, and tokens and cost, by kind of span, or of
// kinds in whose name a word stands. The time beside it is that of reading the same spans as rules do: texts, effects. See
// bench/README.md.

import { TraceDecoder } from '../collector/src/decode/trace-decoder.ts';
import { UsageWrappers } from '../collector/src/detect/usage-wrappers.ts';
import { createFieldTable } from '../collector/src/model/fields.ts';
import { NormalisedEvents } from '../collector/src/normalise/span-events.ts';
import { Prices } from '../collector/src/prices/prices.ts';
import { otlpProtobuf, type Plain, type TestSpan } from '../collector/src/testing/otlp.ts';
import { createToolCalls } from '../collector/src/tool-calls.ts';

const rounds = process.argv.includes('--quick') ? 2 : 8;
const wanted = process.argv.slice(2).find((each) => !each.startsWith('--')) ?? '';
const [batches, spansPerBatch] = [10, 400];
const words = 'the quick brown fox jumps over the lazy dog and runs '.repeat(8);
const text = (role: string, content: string): Plain => ({ role, parts: [{ type: 'text', content }] });
const hex = (n: number, length: number): string => n.toString(16).padStart(length, '0');

const tool = (n: number): Record<string, Plain> => ({
  'gen_ai.operation.name': 'execute_tool',
  'gen_ai.tool.name': 'orders.read',
  'gen_ai.tool.call.id': `call_${n}`,
  'gen_ai.tool.call.arguments': JSON.stringify({ order: n, note: words }),
  'gen_ai.tool.call.result': words,
});
const chat = (input: Plain, output: Plain): Record<string, Plain> => ({
  'gen_ai.operation.name': 'chat',
  'gen_ai.provider.name': 'openai',
  'gen_ai.request.model': 'gpt-5',
  'gen_ai.usage.input_tokens': 1000,
  'gen_ai.usage.output_tokens': 100,
  'gen_ai.input.messages': JSON.stringify(input),
  'gen_ai.output.messages': JSON.stringify(output),
});
const asked = (n: number): Plain => ({
  role: 'assistant',
  parts: [{ type: 'tool_call', id: `call_${n}`, name: 'orders.read', arguments: { order: n, note: words } }],
});
const given = (n: number): Plain => ({
  role: 'tool',
  parts: [{ type: 'tool_call_response', id: `call_${n}`, response: words }],
});

const kinds: Readonly<Record<string, (n: number) => Record<string, Plain>>> = {
  'no span of an agent': () => ({ 'some.attribute': words }),
  'model call, no tools': () => chat([text('user', words)], [text('assistant', words)]),
  'model call, asks': (n) => chat([text('user', words)], [asked(n)]),
  'model call, result': (n) => chat([text('user', words), asked(n), given(n)], [text('assistant', words)]),
  'tool span': tool,
  'MCP client span': (n) => {
    const { 'gen_ai.tool.call.id': _, ...rest } = tool(n);
    return { ...rest, 'mcp.method.name': 'tools/call' };
  },
};

process.stdout.write(
  `${'µs/span'.padEnd(24)} ${['reading', 'calls', 'usage', 'journal B'].map((each) => each.padStart(10)).join('')}\n`,
);
for (const [kind, make] of Object.entries(kinds)) {
  if (!kind.includes(wanted)) continue;
  const bodies = Array.from({ length: batches }, (_, batch) =>
    otlpProtobuf(Array.from({ length: spansPerBatch }, (__, i) => spanOf(batch * spansPerBatch + i, make))),
  );
  const least = Array.from({ length: rounds }, () => oneRound(bodies)).reduce((best, each) =>
    each.map((value, i) => Math.min(value, best[i]!)),
  );
  process.stdout.write(`${kind.padEnd(24)} ${least.map((each) => each.toFixed(2).padStart(10)).join('')}\n`);
}

/** 400 spans a second, each in a trace of its own below a run of an agent. */
function spanOf(n: number, make: (n: number) => Record<string, Plain>): TestSpan {
  const endNanos = 1_900_000_000_000_000_000n + BigInt(n) * 2_500_000n;
  const ids = { traceId: hex(n + 1, 32), spanId: hex(n + 1, 16), parentSpanId: 'ab'.repeat(8) };
  return { ...ids, name: 'span', kind: 3, startNanos: endNanos - 1_000_000n, endNanos, attributes: make(n) };
}

/** CPU µs of the main thread for a span, and bytes of journal: reading, calls with what they tell, usage with its cost. */
function oneRound(bodies: readonly Buffer[]): number[] {
  const fields = createFieldTable();
  const decoder = new TraceDecoder(fields);
  const events = new NormalisedEvents(fields, new Prices());
  const calls = createToolCalls(fields, 30_000_000_000n);
  const wrappers = new UsageWrappers(fields);
  const read = [
    'spanwarden.text.user',
    'spanwarden.text.tool_result',
    'spanwarden.text.output',
    'spanwarden.effect.kinds',
  ];
  const facts = read.map((name) => fields.intern(name));
  const cost = fields.intern('spanwarden.usage.cost_usd');
  const spent = [0, 0, 0, 0];
  const timed = (place: number, work: () => void): void => {
    const before = process.threadCpuUsage();
    work();
    const { user, system } = process.threadCpuUsage(before);
    spent[place]! += user + system;
  };
  for (const body of bodies) {
    const decoded = decoder.decode(body);
    if (decoded.status !== 'ok') throw new Error(decoded.message);
    const { batch } = decoded;
    events.bind(batch);
    const each = (field: number): void => {
      for (let span = 0; span < batch.spanCount; span++) events.value(span, field);
    };
    timed(0, () => facts.forEach(each));
    timed(1, () => {
      calls.masked(events);
      calls.spans(events, 1n << 62n);
      calls.advance(0n);
      spent[3]! += calls.takeJournal().length;
    });
    timed(2, () => {
      wrappers.mark(events);
      each(cost);
      spent[3]! += wrappers.takeJournal().length;
    });
  }
  return spent.map((sum) => sum / (bodies.length * spansPerBatch));
}
