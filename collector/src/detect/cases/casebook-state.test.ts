import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Finding } from '../../model/finding.ts';
import { wholeOf } from '../slices.ts';
import { madeFinding } from '../testing/made-finding.ts';
import { Casebook } from './casebook.ts';
import { conversationKey, traceKey } from './sighting.ts';
import type { Tie } from './ties.ts';

const second = 1_000_000_000n;
const start = 20_000n * 86_400n * second;

interface Step {
  readonly hours: number;
  readonly conversation: number;
  readonly trace: number;
  readonly value: number;
  readonly level: Finding['level'];
  readonly tie: number | undefined;
}

const step: fc.Arbitrary<Step> = fc.record({
  hours: fc.oneof({ weight: 9, arbitrary: fc.nat(1) }, { weight: 1, arbitrary: fc.nat(200) }),
  conversation: fc.nat(7),
  trace: fc.nat(7),
  value: fc.nat(7),
  level: fc.constantFrom('low', 'medium', 'high'),
  tie: fc.option(fc.nat(7), { nil: undefined }),
});

/** What the steps bring, and how far event time is then. */
function* takesOf(steps: readonly Step[]): Generator<[Finding[], Tie[], bigint]> {
  let nanos = start;
  for (const [index, { hours, conversation, trace, value, level, tie }] of steps.entries()) {
    nanos += BigInt(hours) * 3600n * second + second;
    const traceId = `0${trace}`.repeat(16);
    const id = (index + 1).toString(16).padStart(32, '0');
    const spanId = id.slice(16);
    const excerpt = `https://evil-${value}.example/drop`;
    const evidence = [{ selection: 'a', field: 'spanwarden.text.tool_result', wanted: 'is set', excerpt }];
    const conversationId = `conversation-${conversation}`;
    const finding = madeFinding({ id, spanId, traceId, conversationId, level, timeNanos: nanos, evidence });
    const ties: Tie[] =
      tie === undefined ? [] : [[traceKey(traceId), conversationKey(`conversation-${tie}`, 'support')]];
    yield [[finding], ties, nanos];
  }
}

/** Few of everything, so that cases are let go and forget what leads to them. */
const bounds = { casesMax: 4, findingsMax: 20, chainsPerCaseMax: 3, keysPerCaseMax: 4, keysMax: 14 };

function again(snapshot: Uint8Array): string {
  const book = new Casebook(bounds);
  assert.equal(book.restore(snapshot).status, 'restored');
  return Buffer.from(book.snapshot()).toString('hex');
}

test('pieces made while findings come in are the cases of when they were begun', () => {
  const seen = { merged: 0, evicted: 0, forgottenKeys: 0 };
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 3, maxLength: 25 }),
      fc.array(step, { minLength: 1, maxLength: 25 }),
      fc.infiniteStream(fc.nat(2)),
      (before, during, paces) => {
        const book = new Casebook(bounds);
        const takes = [...takesOf([...before, ...during])];
        for (const take of takes.slice(0, before.length)) book.take(...take);
        const whole = book.snapshot();
        const slices = book.slices(1);
        const pieces: Uint8Array[] = [];
        for (const take of takes.slice(before.length)) {
          for (let pace = paces.next().value; pace > 0; pace--) pieces.push(slices.next() ?? Buffer.alloc(0));
          book.take(...take);
        }
        pieces.push(wholeOf(slices));
        assert.equal(again(Buffer.concat(pieces)), again(whole));
        for (const key of ['merged', 'evicted', 'forgottenKeys'] as const) seen[key] += book.counters[key];
      },
    ),
    { numRuns: Number(process.env.SPANWARDEN_PROPERTY_RUNS ?? 300) },
  );
  assert.ok(
    Object.values(seen).every((count) => count > 0),
    JSON.stringify(seen),
  );
});
