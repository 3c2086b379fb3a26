import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { otlpJsonToProtobuf } from '../../decode/json.ts';
import { TraceDecoder } from '../../decode/trace-decoder.ts';
import type { AgentEvent } from '../../model/agent-event.ts';
import { createFieldTable } from '../../model/fields.ts';
import { Category } from '../../model/span-events.ts';
import { NormalisedEvents } from '../../normalise/span-events.ts';
import { otlpJson, type TestSpan } from '../../testing/otlp.ts';
import { createToolCalls } from '../../tool-calls.ts';
import { isTwin, type Twin } from './twice-told.ts';

interface ScopedSpan extends TestSpan {
  readonly scope: string;
}

const hex = (n: number, length: number) => n.toString(16).padStart(length, '0');
const at = (seconds: number) => BigInt(Math.round(seconds * 1000)) * 1_000_000n + 1_800_000_000_000_000_000n;

/** A tool span. */
function tool(
  scope: string,
  id: number,
  parent: number,
  more: Partial<Record<string, string | number>> = {},
): ScopedSpan {
  const { from = 1, to = 2, trace = 1, name = 'orders.read', given = '{"order":1}', callId, result = 'done' } = more;
  return {
    ...{ scope, traceId: hex(Number(trace), 32), spanId: hex(id, 16), name: `execute_tool ${name}` },
    ...(parent !== 0 && { parentSpanId: hex(parent, 16) }),
    ...{ startNanos: at(Number(from)), endNanos: at(Number(to)) },
    attributes: {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': name,
      ...(given !== '' && { 'gen_ai.tool.call.arguments': given }),
      ...(result !== '' && { 'gen_ai.tool.call.result': result }),
      ...(callId !== undefined && { 'gen_ai.tool.call.id': callId }),
    },
  };
}

/** A call of the agent 9 told by two instrumentations. */
function pair(n: number, more: Record<string, string | number> = {}): [outer: ScopedSpan, inner: ScopedSpan] {
  const ids = { trace: n, ...more };
  return [tool('outer', 2 * n + 100, 9, ids), tool('inner', 2 * n + 101, 2 * n + 100, { from: 1.1, to: 1.9, ...ids })];
}

function request(spans: readonly ScopedSpan[]): Buffer {
  const scopeSpans = spans.map(({ scope, ...span }) => {
    const json = otlpJson([span]) as { resourceSpans: { scopeSpans: { spans: object[] }[] }[] };
    return { scope: { name: scope }, spans: json.resourceSpans[0]!.scopeSpans[0]!.spans };
  });
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] };
  const outcome = otlpJsonToProtobuf(Buffer.from(JSON.stringify({ resourceSpans: [{ resource, scopeSpans }] })));
  if (outcome.status !== 'ok') throw new Error(outcome.message);
  return outcome.bytes;
}

const fields = createFieldTable();

/** Ids of the spans that rules take for tool calls, at once or later, sorted; and what else was told. */
function play(requests: readonly (readonly ScopedSpan[])[], restartAfter = -1) {
  let calls = createToolCalls(fields, 30_000_000_000n);
  const counted: string[] = [];
  const told: AgentEvent[] = [];
  const decoder = new TraceDecoder(fields);
  const events = new NormalisedEvents(fields);
  for (const [i, spans] of requests.entries()) {
    const outcome = decoder.decode(request(spans));
    if (outcome.status !== 'ok') throw new Error(outcome.message);
    const masked = calls.masked(events.bind(outcome.batch));
    for (let span = 0; span < outcome.batch.spanCount; span++) {
      if ((masked.categories(span) & Category.tool) !== 0)
        counted.push(String(events.value(span, fields.intern('span_id'))));
    }
    calls.spans(events, at(1_000_000));
    told.push(...calls.advance(calls.newestNanos));
    if (i !== restartAfter) continue;
    const next = createToolCalls(fields, 30_000_000_000n);
    if (i % 2 === 0) assert.equal(next.restore(calls.snapshot()).status, 'restored');
    else next.replay(calls.takeJournal());
    calls = next;
  }
  told.push(...calls.flush());
  const isCall = ({ attributes }: AgentEvent) => attributes.some(([, value]) => value === 'execute_tool');
  for (const event of told) if (isCall(event)) counted.push(event.spanId);
  return { counted: counted.sort(), other: told.filter((event) => !isCall(event)) };
}

const idsOf = (...spans: readonly ScopedSpan[]) => spans.map(({ spanId }) => spanId!).sort();

describe('a tool call that two instrumentations tell', () => {
  it('counts once, as the outer span, from the first request with both on', () => {
    const [outer, inner] = pair(1);
    assert.deepEqual(play([[outer, inner]]).counted, idsOf(outer));
    assert.deepEqual(play([[inner, outer]]).counted, idsOf(outer));
  });

  it('counts once in either order of arrival and over restarts, once such calls were seen in one request', () => {
    const [known, second, third] = [pair(1), pair(2), pair(3)];
    for (const restartAfter of [-1, 0, 1, 2]) {
      const outerFirst = play([known, [second[0]], [second[1]], [third[1]], [third[0]]], restartAfter);
      assert.deepEqual(outerFirst.counted, idsOf(known[0], second[0], third[0]), `after ${restartAfter}`);
    }
  });

  it('is remembered as such over restarts when the calls are long forgotten', () => {
    const split = [
      tool('outer', 1, 9, { from: 5000, to: 5002 }),
      tool('inner', 2, 1, { from: 5001, to: 5001.5 }),
    ] as const;
    const ticks = [3000, 4000].map((from) => tool('outer', from, 0, { from, to: from, name: 'tick' }));
    const requests = [pair(1), ...ticks.map((tick) => [tick]), [split[1]], [split[0]]];
    assert.deepEqual(play(requests, 2).counted, idsOf(pair(1)[0], ...ticks, split[0]));
  });

  it('by its id where neither span is above the other', () => {
    const spans = [tool('a', 1, 9, { callId: 'c' }), tool('b', 2, 8, { callId: 'c', from: 1.2, to: 1.3 })] as const;
    assert.deepEqual(play([spans]).counted, idsOf(spans[0]));
    assert.deepEqual(play([[spans[1], spans[0]]]).counted, idsOf(spans[0]));
  });

  it('stays two where it is two: side by side, of one instrumentation, another tool, other arguments', () => {
    const [outer, inner] = pair(1);
    const stays = (...spans: readonly ScopedSpan[]) => {
      for (const requests of [[spans], [spans.toReversed()], [pair(7), ...spans.map((span) => [span])]]) {
        const wanted = requests.length === 1 ? spans : [...spans, pair(7)[0]];
        assert.deepEqual(play(requests).counted, idsOf(...wanted));
      }
    };
    // Two equal calls at once, each told by one span.
    stays(tool('outer', 1, 9), tool('inner', 2, 9, { from: 1.1, to: 1.9 }));
    stays(tool('outer', 1, 9), tool('outer', 2, 9));
    stays(outer, { ...inner, scope: 'outer' });
    stays(outer, tool('inner', 103, 102, { from: 1.1, to: 1.9, name: 'mail.send' }));
    stays(outer, tool('inner', 103, 102, { from: 1.1, to: 1.9, given: '{"order":2}' }));
    stays(tool('outer', 1, 9, { callId: 'a' }), tool('inner', 2, 1, { callId: 'b', from: 1.1, to: 1.9 }));
    // Tried again under the same id.
    stays(tool('outer', 1, 9, { callId: 'a' }), tool('inner', 2, 9, { callId: 'a', from: 3, to: 4 }));
  });

  it('two equal calls side by side, each told twice, are two', () => {
    const [first, second] = [pair(1), [tool('outer', 1, 9), tool('inner', 2, 1, { from: 1.1, to: 1.9 })]] as const;
    const all = [...first, ...second];
    assert.deepEqual(play([all]).counted, idsOf(first[0], second[0]!));
    assert.deepEqual(play([pair(7), ...all.map((each) => [each])]).counted, idsOf(pair(7)[0], first[0], second[0]!));
  });

  it('is not left to a span that says less of what the tool gave', () => {
    const [outer, inner] = pair(1);
    const silent = tool('outer', 102, 9, { result: '' });
    assert.deepEqual(play([[silent, inner]]).counted, idsOf(silent, inner));
    assert.deepEqual(play([[outer, inner]]).counted, idsOf(outer));
  });

  it('says where its arguments differ from those that were proposed, also where only the inner span says the id', () => {
    const call = { type: 'tool_call', id: 'c1', name: 'orders.read', arguments: { order: 7 } };
    const chat: ScopedSpan = {
      ...{ scope: 'inner', traceId: hex(1, 32), spanId: hex(5, 16), parentSpanId: hex(9, 16), name: 'chat m' },
      ...{ startNanos: at(0), endNanos: at(0.5) },
      attributes: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.output.messages': JSON.stringify([{ role: 'assistant', parts: [call] }]),
      },
    };
    for (const callId of [{}, { callId: 'c1' }]) {
      const spans = [
        chat,
        tool('outer', 102, 9, callId),
        tool('inner', 103, 102, { from: 1.1, to: 1.9, callId: 'c1' }),
      ];
      const { counted, other } = play([spans]);
      assert.deepEqual(counted, idsOf(spans[1]!));
      assert.deepEqual(
        other.map(({ name }) => name),
        ['tool_call orders.read'],
      );
    }
  });

  it('of spans that stand for each other one is always left, whatever they say', () => {
    const twin: fc.Arbitrary<Twin> = fc.record({
      traceId: fc.constant('t'),
      spanId: fc.constantFrom('1', '2', '3'),
      parentSpanId: fc.constantFrom('1', '2', '3'),
      service: fc.constant('shop'),
      scope: fc.constantFrom('a', 'b', 'c'),
      startNanos: fc.bigInt(0n, 1n),
      endNanos: fc.bigInt(1n, 2n),
      callId: fc.constantFrom('', 'i'),
      name: fc.constant('read'),
      given: fc.constant({ hash: '' }),
    });
    fc.assert(
      fc.property(fc.array(twin, { minLength: 1, maxLength: 4 }), (twins) => {
        assert.ok(twins.some((inner) => !twins.some((outer) => outer !== inner && isTwin(outer, inner))));
      }),
      { numRuns: 5_000 },
    );
  });
});
