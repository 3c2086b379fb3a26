import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Signal } from '../decode/json.ts';
import { loadRules } from '../detect/load.ts';
import { otlpLogsProtobuf, otlpProtobuf } from '../testing/otlp.ts';
import { otlpSumProtobuf } from '../testing/otlp-metrics.ts';
import { World } from './testing/world.ts';

const rules = loadRules([
  {
    path: 'r.yml',
    text: `
title: Pay
logsource: {product: ai_agent, category: tool}
detection: {s: {gen_ai.tool.name: pay}, condition: s}
`,
  },
]);

interface Batch {
  readonly fresh: number;
  /** Which of the spans before come again with it, from the newest; `isOther`: with other content of the same length. */
  readonly again: readonly { readonly back: number; readonly isOther: boolean }[];
}

interface Step {
  readonly batches: readonly Batch[];
  readonly besides:
    | 'nothing'
    | 'kill'
    | 'power loss'
    | 'restart'
    | 'hurried restart'
    | 'checkpoint'
    | 'ship'
    | 'settle'
    | 'full disk'
    | 'failed sync'
    | 'begin checkpoint'
    | 'damage';
  /** The machine dies after so many operations on files, in the middle of this step. */
  readonly diesAfter: number | undefined;
  /** What nobody was heard about is sent again after this step, in groups of this size. */
  readonly regroup: number | undefined;
}

const batch: fc.Arbitrary<Batch> = fc.record({
  fresh: fc.nat(4),
  again: fc.array(fc.record({ back: fc.nat(12), isOther: fc.boolean() }), { maxLength: 5 }),
});

const step: fc.Arbitrary<Step> = fc.record({
  batches: fc.array(batch, { maxLength: 4 }),
  besides: fc.constantFrom(
    ...(['nothing', 'nothing', 'kill', 'power loss', 'restart', 'checkpoint', 'ship', 'settle'] as const),
    ...([
      'hurried restart',
      'full disk',
      'full disk',
      'failed sync',
      'begin checkpoint',
      'begin checkpoint',
      'damage',
    ] as const),
  ),
  diesAfter: fc.option(fc.nat(12), { freq: 4, nil: undefined }),
  regroup: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
});

interface Sent {
  readonly span: number;
  readonly version: number;
}

/** The senders: which spans there are, and of which somebody said that they are stored. */
class Senders {
  readonly all: Sent[] = [];
  readonly heard = new Set<string>();
  readonly #world: World;
  readonly #signal: Signal;
  #spans = 0;

  constructor(world: World, signal: Signal) {
    this.#world = world;
    this.#signal = signal;
  }

  async send(batches: readonly Batch[]): Promise<void> {
    await this.post(
      batches.map(({ fresh, again }) => {
        const old = again.flatMap(({ back, isOther }) => {
          const known = this.all.at(-1 - back);
          return known === undefined ? [] : { ...known, version: (known.version + Number(isOther)) % 10 };
        });
        const sent = [...old, ...Array.from({ length: fresh }, () => ({ span: this.#spans++, version: 0 }))];
        const names = new Set(this.all.map(nameOf));
        this.all.push(...sent.filter((each) => !names.has(nameOf(each)) && names.add(nameOf(each))));
        return sent;
      }),
    );
  }

  /** Sends again what nobody was heard about, in other groups. */
  async regroup(size: number): Promise<void> {
    const unheard = this.all.filter((each) => !this.heard.has(nameOf(each))).reverse();
    const groups = Array.from({ length: Math.ceil(unheard.length / size) }, (_, group) =>
      unheard.slice(group * size, (group + 1) * size),
    );
    await this.post(groups);
  }

  async untilHeard(): Promise<void> {
    for (let attempt = 0; this.heard.size < this.all.length; attempt++) {
      assert.ok(attempt < 10, 'senders that try again are heard');
      this.#world.nowMs += 1000;
      await this.regroup(3);
    }
  }

  async post(groups: readonly (readonly Sent[])[]): Promise<void> {
    const full = groups.filter(({ length }) => length > 0);
    await this.#world.trySend(
      full.map((group) => requestOf[this.#signal](group)),
      (index) => {
        for (const each of full[index]!) this.heard.add(nameOf(each));
      },
      this.#signal,
    );
  }
}

function nameOf({ span, version }: Sent): string {
  return `<span ${span} as ${version}>`;
}

const nanosOf = ({ span }: Sent): bigint => 1_900_000_000_000_000_001n + BigInt(span);

const requestOf: Readonly<Record<Signal, (group: readonly Sent[]) => Buffer>> = {
  traces: (group) =>
    otlpProtobuf(
      group.map((each) => {
        const attributes = { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'pay' };
        const spanId = (each.span + 1).toString(16).padStart(16, '0');
        const endNanos = nanosOf(each);
        return {
          name: nameOf(each),
          spanId,
          traceId: '0a'.repeat(16),
          startNanos: endNanos - 1n,
          endNanos,
          attributes,
        };
      }),
    ),
  logs: (group) => otlpLogsProtobuf(distinct(group).map((each) => ({ body: nameOf(each), nanos: nanosOf(each) }))),
  metrics: (group) =>
    otlpSumProtobuf(distinct(group).map((each) => ({ name: nameOf(each), nanos: nanosOf(each), value: 1 }))),
};

/** In one request two that are equal are two, unless they have ids. */
function distinct(group: readonly Sent[]): Sent[] {
  return [...new Map(group.map((each) => [nameOf(each), each])).values()];
}

async function happen(world: World, besides: Step['besides']): Promise<void> {
  if (besides === 'settle') await world.settle();
  if (besides === 'kill') await world.crash(false);
  if (besides === 'damage') await world.damage();
  if (besides === 'power loss') await world.crash(true);
  if (besides === 'restart') await world.stop();
  if (besides === 'hurried restart') await world.stop(0);
  if (besides === 'checkpoint') await world.checkpoint();
  if (besides === 'ship') await world.ship();
}

/** How often each record is in the store, by name, when all of them were acknowledged. */
async function stored(
  steps: readonly Step[],
  resentMax?: number,
  signal: Signal = 'traces',
): Promise<Map<string, number>> {
  const world = new World({ rules, latenessMs: 20_000, ...(resentMax && { resentMax }) });
  await world.start();
  const senders = new Senders(world, signal);
  for (const { batches, besides, diesAfter, regroup } of steps) {
    world.nowMs += 1100;
    if (diesAfter !== undefined) world.files.dieAfter(diesAfter);
    if (besides === 'full disk') world.files.mishaps.push({ operation: 'write', code: 'ENOSPC' });
    if (besides === 'failed sync') world.files.mishaps.push({ operation: 'sync', code: 'EIO', isHalf: true });
    // It is of the moment before, and of the middle of what comes.
    if (besides === 'begin checkpoint') world.beginCheckpoint();
    await senders.send(batches);
    if (regroup !== undefined) await senders.regroup(regroup);
    await happen(world, besides);
    if (diesAfter !== undefined) await world.crash(false);
    world.files.mishaps.length = 0;
  }
  await senders.untilHeard();
  const counts = new Map(senders.all.map((each) => [nameOf(each), 0]));
  for (const [name] of (await world.rows()).toString('latin1').matchAll(/<span \d+ as \d>/g)) {
    counts.set(name, counts.get(name)! + 1);
  }
  return counts;
}

for (const signal of ['traces', 'logs', 'metrics'] as const) {
  test(`${signal} that come again in other batches are stored once, whatever is refused and whenever the machine dies`, async () => {
    let records = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 16 }), async (steps) => {
        const counts = await stored(steps, 10_000, signal);
        records += counts.size;
        const wrong = [...counts].filter(([, count]) => count !== 1);
        assert.deepEqual(wrong, []);
      }),
      { numRuns: Number(process.env.SPANWARDEN_PROPERTY_RUNS ?? 25) },
    );
    assert.ok(records > 0);
  });
}

test('with room for few spans some are stored twice, and none is lost', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 16 }), async (steps) => {
      const counts = await stored(steps, 3);
      assert.deepEqual(
        [...counts].filter(([, count]) => count === 0),
        [],
      );
    }),
    { numRuns: Number(process.env.SPANWARDEN_PROPERTY_RUNS ?? 8) },
  );
});

test('without it, spans that come again are stored again', async () => {
  const twice = {
    fresh: 0,
    again: [
      { back: 0, isOther: false },
      { back: 1, isOther: false },
    ],
  };
  const steps = [{ fresh: 3, again: [] }, twice].map(
    (each): Step => ({ batches: [each], besides: 'nothing', diesAfter: undefined, regroup: undefined }),
  );
  assert.deepEqual([...(await stored(steps)).values()].sort(), [1, 2, 2]);
  assert.deepEqual([...(await stored(steps, 10)).values()], [1, 1, 1]);
});
