import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadRules } from '../detect/load.ts';
import { otlpProtobuf, type Plain } from '../testing/otlp.ts';
import { answer, type Call, callSpan, givenCall, result, user } from '../testing/sessions.ts';
import { World } from './testing/world.ts';

/** Matches that fold by session, and windows by it, of which some are told early. */
const rules = loadRules([
  {
    path: 'r.yml',
    text: `
title: A call
name: call
logsource: {product: ai_agent}
detection: {s: {gen_ai.operation.name: [chat, execute_tool]}, condition: s}
---
title: Calls of one session
correlation: {type: event_count, rules: [call], group-by: [spanwarden.session], timespan: 5m, condition: {gte: 2}, generate: true}
---
title: Traces of one session
correlation: {type: value_count, rules: [call], group-by: [spanwarden.session], timespan: 5m, condition: {gte: 3, field: trace_id}}
---
title: Few calls
correlation: {type: event_count, rules: [call], group-by: [spanwarden.session], timespan: 20s, condition: {lte: 1}}
`,
  },
]);

const latenessMs = 20_000;

interface Story {
  readonly kind: 'history' | 'window' | 'response' | 'text' | 'tools' | 'opening';
  /** Calls in the first and in the second minute. */
  readonly turns: readonly [number, number];
  /** Calls that were sampled away. */
  readonly lost: readonly number[];
}

const story: fc.Arbitrary<Story> = fc.record({
  kind: fc.constantFrom('history', 'window', 'response', 'text', 'tools', 'opening'),
  turns: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.nat(3)),
  lost: fc.array(fc.nat(5), { maxLength: 2 }),
});

/** The calls of all stories in turn, at most a second apart; the second part a minute after the first. */
function callsOf(stories: readonly Story[]): [Call[], Call[]] {
  const parts: [Call[], Call[]] = [[], []];
  const turns = stories.map(() => 0);
  for (const part of [0, 1] as const) {
    let at = part === 0 ? 1 : 60;
    for (let round = 0; round < 4; round++) {
      for (const [number, { kind, turns: wanted, lost }] of stories.entries()) {
        if (round >= wanted[part]) continue;
        const turn = turns[number]!++;
        if (!lost.includes(turn)) parts[part].push({ at: at++, ...turnOf(kind, number, turn) });
      }
    }
  }
  return parts;
}

function turnOf(kind: Story['kind'], number: number, turn: number): Omit<Call, 'at'> {
  const id = (of: number): string => `call_${number}_of_${of}`;
  const response = `resp_${number}_of_${turn}`;
  if (kind === 'response') return { response, ...(turn > 0 && { previous: `resp_${number}_of_${turn - 1}` }) };
  if (kind === 'tools' && turn % 2 === 1) return { tool: id(turn - 1) };
  if (kind === 'text' || kind === 'opening') {
    // Several stories of the second kind begin with the same words.
    const own = kind === 'text' ? `${number} ` : '';
    const said = (of: number): Plain[] => [
      user(of === 0 ? `${own}hello` : `${number} question ${of}`),
      answer(`${own}reply ${of}`),
    ];
    const history = Array.from({ length: turn + 1 }, (_, of) => said(of)).flat();
    return { input: history.slice(0, -1), output: history.slice(-1), response };
  }
  const first = kind === 'window' ? Math.max(0, turn - 1) : 0;
  const history = Array.from({ length: turn - first }, (_, of) => [givenCall(id(first + of)), result(id(first + of))]);
  return { input: [user(`${number} go`), ...history.flat()], output: [givenCall(id(turn))], response };
}

type Mishap = 'nothing' | 'kill' | 'power loss' | 'restart' | 'checkpoint' | 'begin checkpoint' | 'settle' | 'repeat';

/** What happens after a request. */
const mishap = fc.constantFrom<Mishap>(
  ...([
    'nothing',
    'nothing',
    'kill',
    'power loss',
    'restart',
    'checkpoint',
    'begin checkpoint',
    'settle',
    'repeat',
  ] as const),
);

async function stored(parts: readonly (readonly (readonly Call[])[])[], mishaps: readonly Mishap[]) {
  const world = new World({ rules, latenessMs });
  await world.start();
  let number = 0;
  for (const batches of parts) {
    for (const batch of batches) {
      const body = otlpProtobuf(batch.map(callSpan));
      await world.send([body]);
      const what = mishaps[number++ % Math.max(1, mishaps.length)] ?? 'nothing';
      if (what === 'kill' || what === 'power loss') await world.crash(what === 'power loss');
      if (what === 'restart') await world.stop();
      if (what === 'checkpoint') await world.checkpoint();
      if (what === 'begin checkpoint') world.beginCheckpoint();
      if (what === 'settle') await world.settle();
      if (what === 'repeat') await world.repeat(otlpProtobuf([...batch].reverse().map(callSpan)));
      await world.resend();
    }
  }
  return world.findings();
}

/** In any order, in batches of one to four. */
function shuffled(calls: readonly Call[], dice: () => number): Call[][] {
  const order = calls.map((call) => [dice(), call] as const).sort(([a], [b]) => a - b);
  const batches: Call[][] = [];
  for (let left = order.map(([, call]) => call); left.length > 0; ) batches.push(left.splice(0, 1 + (dice() % 4)));
  return batches;
}

test('property: sessions, and what is found in them, depend on neither order, nor batches, nor restarts', async () => {
  let findings = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(story, { minLength: 1, maxLength: 4 }),
      fc.array(mishap, { maxLength: 6 }),
      fc.infiniteStream(fc.nat(1000)),
      async (stories, mishaps, random) => {
        const parts = callsOf(stories);
        const dice = () => random.next().value as number;
        const wanted = await stored(
          parts.map((calls) => calls.map((call) => [call])),
          [],
        );
        findings += wanted.size;
        const got = await stored(
          parts.map((calls) => shuffled(calls, dice)),
          mishaps,
        );
        assert.deepEqual(got, wanted);
      },
    ),
    { numRuns: Number(process.env.SPANWARDEN_PROPERTY_RUNS ?? 60) },
  );
  assert.ok(findings > 60, `${findings} findings`);
});
