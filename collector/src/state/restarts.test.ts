import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadRules } from '../detect/load.ts';
import { otlpProtobuf, type TestSpan } from '../testing/otlp.ts';
import { openState } from './open-state.ts';
import { World, type WorldOptions } from './testing/world.ts';

/** Matches that repeat, and each kind of window: sliding, tumbling, distinct values, sums, sets, sequences, and a correlation of correlations. */
const rules = loadRules([
  {
    path: 'r.yml',
    text: `
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
title: Look
logsource: {product: ai_agent, category: tool}
detection: {s: {gen_ai.tool.name: look}, condition: s}
---
title: Many
name: many
correlation: {type: event_count, rules: [pay], group-by: [gen_ai.conversation.id], timespan: 20s, condition: {gte: 3}}
---
title: Few
correlation: {type: event_count, rules: [read], group-by: [gen_ai.conversation.id], timespan: 30s, condition: {lte: 1}}
---
title: Ways
correlation: {type: value_count, rules: [pay, read], group-by: [gen_ai.conversation.id], timespan: 1m, condition: {gte: 2, field: gen_ai.agent.name}}
---
title: Sum
correlation: {type: value_sum, rules: [pay], group-by: [gen_ai.agent.name], timespan: 1m, condition: {gte: 5, field: amount}}
---
title: Both
correlation: {type: temporal, rules: [pay, read], group-by: [gen_ai.agent.name], timespan: 15s}
---
title: First read then pay
correlation: {type: temporal_ordered, rules: [read, pay], group-by: [gen_ai.conversation.id], timespan: 25s}
---
title: Again and again
correlation: {type: event_count, rules: [many], group-by: [], timespan: 10m, condition: {gte: 2}}
`,
  },
]);

const latenessMs = 20_000;
const startMs = 1_900_000_000_000;

interface Call {
  readonly tool: string;
  readonly conversation: string;
  readonly agent: string;
  readonly amount: number;
  /** How long before its request was sent it ended. */
  readonly agoMs: number;
}

interface Step {
  /** How long after the last step. */
  readonly afterMs: number;
  readonly batches: readonly (readonly Call[])[];
  /** What happens besides: to the machine, to the senders, or by the clock. */
  readonly besides:
    | 'nothing'
    | 'kill'
    | 'power loss'
    | 'restart'
    | 'checkpoint'
    | 'ship'
    | 'repeat'
    | 'full disk'
    | 'settle'
    | 'checkpoint at once'
    | 'begin checkpoint'
    | 'damage';
  /** The machine dies after so many operations on files, in the middle of this step. */
  readonly diesAfter: number | undefined;
}

const call: fc.Arbitrary<Call> = fc.record({
  tool: fc.constantFrom('pay', 'pay', 'read', 'look'),
  conversation: fc.constantFrom('c1', 'c2'),
  agent: fc.constantFrom('a1', 'a2'),
  amount: fc.integer({ min: 0, max: 4 }),
  agoMs: fc.integer({ min: 0, max: 8_000 }),
});

const step: fc.Arbitrary<Step> = fc.record({
  afterMs: fc.oneof({ weight: 5, arbitrary: fc.nat(6_000) }, { weight: 1, arbitrary: fc.nat(60_000) }),
  batches: fc.array(fc.array(call, { minLength: 1, maxLength: 4 }), { maxLength: 3 }),
  besides: fc.constantFrom(
    ...(['nothing', 'kill', 'kill', 'power loss', 'restart', 'checkpoint', 'checkpoint', 'ship', 'repeat'] as const),
    ...(['full disk', 'settle', 'settle', 'checkpoint at once', 'checkpoint at once'] as const),
    ...(['begin checkpoint', 'begin checkpoint', 'begin checkpoint', 'damage', 'damage'] as const),
  ),
  diesAfter: fc.option(fc.nat(12), { freq: 3, nil: undefined }),
});

/** The requests of each step: the same bytes in every run. */
function requestsOf(steps: readonly Step[]): { readonly spans: readonly TestSpan[]; readonly body: Buffer }[][] {
  let atMs = startMs;
  let number = 0;
  return steps.map(({ afterMs, batches }) => {
    atMs += afterMs;
    return batches.map((calls) => {
      const spans = calls.map(({ tool, conversation, agent, amount, agoMs }): TestSpan => {
        const endNanos = BigInt(atMs - agoMs) * 1_000_000n;
        const spanId = (++number).toString(16).padStart(16, '0');
        const attributes = {
          ...{ 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': tool, amount },
          ...{ 'gen_ai.conversation.id': conversation, 'gen_ai.agent.name': agent },
        };
        return { spanId, traceId: '0a'.repeat(16), startNanos: endNanos - 1n, endNanos, attributes };
      });
      return { spans, body: otlpProtobuf(spans) };
    });
  });
}

/** Nothing goes wrong: what the findings should be. */
async function undisturbed(steps: readonly Step[]): Promise<Map<string, string>> {
  const world = new World({ rules, latenessMs });
  await world.start();
  for (const [index, requests] of requestsOf(steps).entries()) {
    world.nowMs += steps[index]!.afterMs;
    await world.send(requests.map(({ body }) => body));
    if (steps[index]!.besides === 'settle') await world.settle();
  }
  return world.findings();
}

async function disturbed(
  steps: readonly Step[],
  options: Pick<WorldOptions, 'open' | 'resentMax'> = {},
): Promise<Map<string, string>> {
  const world = new World({ rules, latenessMs, ...options });
  await world.start();
  let earlier: readonly TestSpan[] = [];
  for (const [index, requests] of requestsOf(steps).entries()) {
    const { afterMs, besides, diesAfter } = steps[index]!;
    world.nowMs += afterMs;
    if (diesAfter !== undefined) world.files.dieAfter(diesAfter);
    if (besides === 'full disk') world.files.mishaps.push({ operation: 'write', code: 'ENOSPC' });
    // Also while none of them is on disk.
    await world.send(
      requests.map(({ body }) => body),
      besides === 'checkpoint at once',
    );
    await happen(world, besides, earlier);
    if (diesAfter !== undefined) await world.crash(false);
    world.files.mishaps.length = 0;
    await world.resend();
    earlier = requests.flatMap(({ spans }) => spans);
  }
  damages += world.damages;
  return world.findings();
}

/** Checkpoints that were damaged in all runs. */
let damages = 0;

async function happen(world: World, besides: Step['besides'], earlier: readonly TestSpan[]): Promise<void> {
  if (besides === 'settle') await world.settle();
  if (besides === 'kill') await world.crash(false);
  if (besides === 'damage') await world.damage();
  if (besides === 'power loss') await world.crash(true);
  if (besides === 'restart') await world.stop();
  if (besides === 'checkpoint') await world.checkpoint();
  // It is of now, and written while the next requests come.
  if (besides === 'begin checkpoint') world.beginCheckpoint();
  if (besides === 'ship') await world.ship();
  // In another request, with other spans around it.
  if (besides === 'repeat' && earlier.length > 1) await world.repeat(otlpProtobuf(earlier.slice(1)));
}

test('crashes, restarts, refusals and repeats at any moment change no finding', async () => {
  let findings = 0;
  await fc.assert(
    // Spans that come again are known by all that remembers spans, also where nothing keeps them from it.
    fc.asyncProperty(
      fc.array(step, { minLength: 3, maxLength: 16 }),
      fc.constantFrom(0, 4, 1000),
      async (steps, resentMax) => {
        const wanted = await undisturbed(steps);
        findings += wanted.size;
        assert.deepEqual(await disturbed(steps, { resentMax }), wanted);
      },
    ),
    { numRuns: Number(process.env.SPANWARDEN_PROPERTY_RUNS ?? 40) },
  );
  assert.ok(findings > 0 && damages > 0, `${findings} findings, ${damages} damaged checkpoints`);
});

/** Three payments, each request followed by a crash. */
const threePayments: readonly Step[] = [1, 2, 3].map((second) => ({
  afterMs: second * 1000,
  batches: [[{ tool: 'pay', conversation: 'c1', agent: 'a1', amount: 2, agoMs: 0 }]],
  besides: second === 2 ? 'checkpoint' : 'kill',
  diesAfter: second === 2 ? 1000 : undefined,
}));

test('without the journals, or without the checkpoint, a crash does change findings', async () => {
  const wanted = await undisturbed(threePayments);
  assert.ok([...wanted.values()].some((shown) => shown.includes('"RuleTitle":"Sum"')));
  assert.deepEqual(await disturbed(threePayments), wanted);
  const deaf: typeof openState = (store, spool, memory) =>
    openState(store, spool, { ...memory, restore: (bytes) => memory.restore(bytes), replay: () => {} });
  assert.notDeepEqual(await disturbed(threePayments, { open: deaf }), wanted);
  const forgetful: typeof openState = (store, spool, memory) =>
    openState(store, spool, { restore: () => ({ status: 'restored' }), replay: (bytes) => memory.replay(bytes) });
  assert.notDeepEqual(await disturbed(threePayments, { open: forgetful }), wanted);
});
