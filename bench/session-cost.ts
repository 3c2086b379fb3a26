// `node bench/session-cost.ts [--quick]`: what finding the session of a span costs, by how it is found. Spans differ only in that; the
// time beside it is that of reading the same spans as rules do, texts and tool calls. See bench/README.md.

import { TraceDecoder } from '../collector/src/decode/trace-decoder.ts';
import { Stitcher } from '../collector/src/detect/sessions/stitcher.ts';
import { createFieldTable } from '../collector/src/model/fields.ts';
import { NormalisedEvents } from '../collector/src/normalise/span-events.ts';
import { otlpProtobuf, type Plain, type TestSpan } from '../collector/src/testing/otlp.ts';
import { answer, type Call, callSpan, givenCall, result, user } from '../collector/src/testing/sessions.ts';

const [rounds, secondsMin] = process.argv.includes('--quick') ? [1, 0.3] : [4, 1];
const [sessions, turns] = [400, 10];
const words = 'the quick brown fox jumps over the lazy dog and runs '.repeat(8);

/** A call of a session of ten, each of which sends all before it. */
function toolCall(session: number, turn: number): Omit<Call, 'at'> {
  const id = (of: number): string => `call_${session}_of_${of}_0000000000000`;
  const history = Array.from({ length: turn }, (_, of) => [givenCall(id(of)), result(id(of))]).flat();
  return { input: [user(words), ...history], output: [givenCall(id(turn))], response: `resp_${session}_of_${turn}` };
}

function textCall(session: number, turn: number): Omit<Call, 'at'> {
  const history = Array.from({ length: turn + 1 }, (_, of): Plain[] => [
    user(`${session} ${of} ${words}`),
    answer(`reply ${of}`),
  ]).flat();
  return { input: history.slice(0, -1), output: history.slice(-1) };
}

const kinds: Readonly<Record<string, (session: number, turn: number, span: TestSpan) => TestSpan>> = {
  'no span of an agent': (_s, _t, span) => ({ ...span, attributes: { 'some.attribute': words } }),
  'below another span': (_s, _t, span) => ({ ...span, parentSpanId: 'ab'.repeat(8) }),
  'conversation id': (session, _t, span) => ({
    ...span,
    attributes: { ...span.attributes, 'gen_ai.conversation.id': `conversation-${session}` },
  }),
  'tool calls': (_s, _t, span) => span,
  response: (session, turn, span) => ({
    ...span,
    attributes: {
      'gen_ai.operation.name': 'chat',
      'gen_ai.response.id': `resp_${session}_of_${turn}`,
      ...(turn > 0 && { 'gen_ai.request.previous_response.id': `resp_${session}_of_${turn - 1}` }),
    },
  }),
  'messages in common': (session, turn, span) => ({
    ...callSpan({ at: 1, ...textCall(session, turn) }),
    ...idsOf(span),
  }),
};

process.stdout.write(
  `${'session by'.padEnd(22)} ${'reading, µs/span'.padStart(18)} ${'stitching, µs/span'.padStart(20)}\n`,
);
for (const [kind, make] of Object.entries(kinds)) {
  const { reading, stitching } = measured(bodiesOf(make));
  process.stdout.write(`${kind.padEnd(22)} ${micros(reading).padStart(18)} ${micros(stitching).padStart(20)}\n`);
}

function idsOf({ traceId, spanId, startNanos, endNanos }: TestSpan): TestSpan {
  return { traceId: traceId!, spanId: spanId!, startNanos: startNanos!, endNanos: endNanos! };
}

/** All sessions turn by turn, a batch for each turn, 10 s apart. */
function bodiesOf(make: (session: number, turn: number, span: TestSpan) => TestSpan): Buffer[] {
  return Array.from({ length: turns }, (_, turn) =>
    otlpProtobuf(
      Array.from({ length: sessions }, (_, session) => {
        const number = turn * sessions + session + 1;
        const span = callSpan({ at: number, ...toolCall(session, turn) });
        const endNanos = 1_900_000_000_000_000_000n + BigInt(turn * 10_000 + session) * 1_000_000n;
        return make(session, turn, { ...span, startNanos: endNanos - 1_000_000n, endNanos });
      }),
    ),
  );
}

/**
 * CPU seconds of the main thread for one span, the least of some rounds: what rules of the category read anyway, and what the session
 * adds, its journal included. What other threads collect for it is left out, as nobody can tell for which part.
 */
function measured(bodies: readonly Buffer[]): { readonly reading: number; readonly stitching: number } {
  const least = { reading: Number.POSITIVE_INFINITY, stitching: Number.POSITIVE_INFINITY };
  for (let round = 0; round < rounds; round++) {
    const { reading, stitching } = oneRound(bodies);
    least.reading = Math.min(least.reading, reading);
    least.stitching = Math.min(least.stitching, stitching);
  }
  return least;
}

function oneRound(bodies: readonly Buffer[]): { readonly reading: number; readonly stitching: number } {
  const fields = createFieldTable();
  const decoder = new TraceDecoder(fields);
  const events = new NormalisedEvents(fields);
  const read = ['spanwarden.text.user', 'spanwarden.proposed.tool_names'].map((name) => fields.intern(name));
  const stitcher = new Stitcher({ fields, correlations: [], waitNanos: 30_000_000_000n, journalled: true });
  const all = { reading: 0, stitching: 0, spans: 0 };
  const until = performance.now() + secondsMin * 1000;
  do {
    for (const body of bodies) {
      const decoded = decoder.decode(body);
      if (decoded.status !== 'ok') throw new Error(decoded.message);
      events.bind(decoded.batch);
      const from = cpuSeconds();
      for (let span = 0; span < decoded.batch.spanCount; span++) {
        if (events.categories(span) !== 0) for (const field of read) events.value(span, field);
      }
      const between = cpuSeconds();
      stitcher.stitch(events);
      stitcher.settle(events, undefined);
      stitcher.takeJournal();
      stitcher.takeLinks();
      all.reading += between - from;
      all.stitching += cpuSeconds() - between;
      all.spans += decoded.batch.spanCount;
    }
    stitcher.flush();
  } while (performance.now() < until);
  return { reading: all.reading / all.spans, stitching: all.stitching / all.spans };
}

function cpuSeconds(): number {
  const { user: own, system } = process.threadCpuUsage();
  return (own + system) / 1e6;
}

function micros(seconds: number): string {
  return (seconds * 1e6).toFixed(2);
}
