import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createFieldTable } from '../model/fields.ts';
import { type Casework, withCasework } from './casework.ts';
import { createDetector } from './engine.ts';
import { loadRules } from './load.ts';
import { Scan, type Scanned, wholeOf } from './slices.ts';
import { type PlainSpan, plainEvents } from './testing/plain-events.ts';

const second = 1_000_000_000n;
const start = 1_800_000_000n * second;

/** Each kind of memory: windows of both sorts, our own types, repeats, cases. */
const correlations = [
  'type: event_count\nrules: [x]\ngroup-by: [user.id]\ntimespan: 20s\ncondition: {gte: 2}\ngenerate: true',
  'type: event_count\nrules: [y]\ngroup-by: [user.id]\ntimespan: 20s\ncondition: {lte: 2}',
  'type: value_count\nrules: [x, y]\ngroup-by: [user.id]\ntimespan: 30s\ncondition: {gte: 2, field: city}',
  'type: temporal_ordered\nrules: [x, y]\ngroup-by: [user.id]\ntimespan: 20s',
  'type: temporal\nrules: [x, y]\ngroup-by: [user.id]\ntimespan: 10s\ncondition: x and not y',
  'type: new_value\nrules: [x]\nfield: city\ngroup-by: [user.id]\nlearn: 5s\nlearn_events: 2\nttl: 1m',
  'type: rare\nrules: [y]\nfield: city\ngroup-by: [user.id]\nmax_count: 2\nmin: 2\nhistory: 40s',
  'type: absence\nrules: [x, y]\ngroup-by: [user.id]\nwithin: 10s',
];
const rules = loadRules([
  ...['x', 'y'].map((tool) => {
    const text = `logsource: {product: ai_agent, category: tool}\ndetection: {a: {tool: ${tool}}, condition: a}`;
    return { path: `${tool}.yml`, text: `title: ${tool}\nname: ${tool}\nlevel: medium\n${text}\n` };
  }),
  ...correlations.map((text, index) => ({
    path: `c${index}.yml`,
    text: `title: C${index}\nlevel: high\ncorrelation:\n${text.replace(/^/gm, '  ')}\n`,
  })),
]);

function fresh(): { readonly work: Casework; send(...spans: PlainSpan[]): void } {
  const fields = createFieldTable();
  const options = { fields, allowedLatenessNanos: 5n * second, journal: true };
  const work = withCasework(createDetector({ ...rules, ...options }), options);
  return { work, send: (...spans) => void work.detect(plainEvents(spans, (id) => fields.name(id))) };
}

interface Call {
  readonly tool: string;
  readonly user: string;
  readonly city: string;
  readonly afterMs: number;
}

const call: fc.Arbitrary<Call> = fc.record({
  tool: fc.constantFrom('x', 'y'),
  user: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
  city: fc.constantFrom('Oslo', 'Rome', 'Bern'),
  // Now and then so long that everything is over, repeats included.
  afterMs: fc.oneof(
    { weight: 30, arbitrary: fc.nat(4000) },
    { weight: 5, arbitrary: fc.nat(40_000) },
    { weight: 1, arbitrary: fc.nat(100_000_000) },
  ),
});

function* spansOf(calls: readonly Call[]): Generator<PlainSpan> {
  let endNanos = start;
  for (const [index, { tool, user, city, afterMs }] of calls.entries()) {
    endNanos += BigInt(afterMs) * 1_000_000n;
    const fields = {
      ...{ tool, city, 'user.id': user, 'gen_ai.conversation.id': `of-${user}` },
      span_id: (index + 1).toString(16).padStart(16, '0'),
    };
    yield { fields, startNanos: endNanos, endNanos };
  }
}

/** What one that takes the snapshot over would write itself. */
function again(snapshot: Uint8Array): string {
  const { work } = fresh();
  const outcome = work.restore(snapshot);
  assert.equal(outcome.status, 'restored');
  assert.equal(outcome.unreadable, undefined);
  return Buffer.from(work.snapshot()).toString('hex');
}

test('pieces made while spans come in are the state of when they were begun', () => {
  let piecesMax = 0;
  fc.assert(
    fc.property(
      fc.array(call, { minLength: 5, maxLength: 40 }),
      fc.array(call, { minLength: 1, maxLength: 40 }),
      fc.infiniteStream(fc.nat(4)),
      (before, during, paces) => {
        const { work, send } = fresh();
        const spans = [...spansOf([...before, ...during])];
        for (const span of spans.slice(0, before.length)) send(span);
        const whole = work.snapshot();
        const slices = work.slices(1);
        const pieces: Uint8Array[] = [];
        for (const span of spans.slice(before.length)) {
          for (let pace = paces.next().value; pace > 0; pace--) pieces.push(slices.next() ?? Buffer.alloc(0));
          send(span);
        }
        pieces.push(wholeOf(slices));
        assert.equal(slices.isCut, false);
        piecesMax = Math.max(piecesMax, pieces.length);
        assert.equal(again(Buffer.concat(pieces)), again(whole));
      },
    ),
    { numRuns: Number(process.env.SPANWARDEN_PROPERTY_RUNS ?? 60) },
  );
  assert.ok(piecesMax > 20);
});

test('pieces end when the state is exchanged, or begun anew', () => {
  const { work, send } = fresh();
  for (const span of spansOf([{ tool: 'x', user: 'a', city: 'Rome', afterMs: 0 }])) send(span);
  const whole = work.snapshot();
  const first = work.slices(1);
  first.next();
  const next = work.slices(1);
  assert.equal(first.isCut, true);
  assert.equal(next.isCut, false);
  work.restore(whole);
  assert.equal(next.isCut, true);
  const last = work.slices(1);
  last.cancel();
  assert.equal(last.isCut, true);
});

interface Member extends Scanned {
  value: string;
}

test('a member that changes or goes is written as it was, once; one that comes is not', () => {
  const scan = new Scan<Member>();
  const members = new Set<Member>(['a', 'b', 'c', 'd'].map((value) => ({ value, scan: scan.number })));
  const [a, b, c] = [...members];
  const written: string[] = [];
  const steps = scan.begin(members, ({ value }) => written.push(value));
  steps.step(() => written.length >= 1);
  scan.changing(c!);
  c!.value = 'other';
  scan.changing(a!);
  scan.leaving(b!);
  members.delete(b!);
  members.add({ value: 'new', scan: scan.number });
  while (steps.step(() => false));
  assert.deepEqual(written, ['a', 'c', 'b', 'd']);
  const again: string[] = [];
  const second = scan.begin(members, ({ value }) => again.push(value));
  while (second.step(() => false));
  assert.deepEqual(again, ['a', 'other', 'd', 'new']);
});

test('what cannot be written fails the checkpoint, not whoever changes it', () => {
  const scan = new Scan<Member>();
  const member = { value: 'a', scan: scan.number };
  const steps = scan.begin([member], () => {
    throw new TypeError('no plain data');
  });
  scan.changing(member);
  assert.throws(() => steps.step(() => false), TypeError);
});
