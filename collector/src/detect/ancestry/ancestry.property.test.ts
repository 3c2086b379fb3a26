import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createFieldTable } from '../../model/fields.ts';
import type { Finding } from '../../model/finding.ts';
import type { Value } from '../../model/value.ts';
import { compileRule, createShared } from '../compile.ts';
import { loadRules } from '../load.ts';
import { wholeOf } from '../slices.ts';
import type { Slices } from '../state.ts';
import { type PlainSpan, plainEvents } from '../testing/plain-events.ts';
import { Ancestry, type AncestryMatch } from './ancestry.ts';
import { ancestryFieldsOf } from './fields.ts';
import { withAncestry } from './view.ts';

const second = 1_000_000_000n;
const waitNanos = 20n * second;

const fieldNames = ['tool', 'agent'] as const;
const values = ['a', 'b', ['a', 'b'], null] as const;

/** Items about the span itself and about others, some of them negative. */
const item = fc
  .tuple(
    fc.constantFrom('', '', 'parent.', 'root.', 'ancestor.'),
    fc.constantFrom(...fieldNames),
    fc.constantFrom(': a', '|neq: b', '|contains|all: [a, b]', '|exists: true', '|exists: false', ': null'),
  )
  .map(([reach, field, rest]) => `${reach}${field}${rest}`.replace(/^(.*?): /, "'$1': "));

const comparison = fc.constantFrom(
  "'agent|fieldref': root.agent",
  "'agent|fieldref|neq': parent.agent",
  "'ancestor.agent|fieldref': tool",
  "'parent.agent|fieldref|neq': root.agent",
  "'ancestor.agent|fieldref|neq': root.tool",
);

const rule = fc
  .tuple(
    fc.array(fc.oneof({ arbitrary: item, weight: 6 }, { arbitrary: comparison, weight: 1 }), {
      minLength: 3,
      maxLength: 3,
    }),
    fc.constantFrom(
      'a and b',
      'a and not b',
      'a or b',
      'a and (b or not c)',
      '2 of them',
      'not a and not (b and c)',
      'not 1 of them',
    ),
  )
  .map(([items, condition]) => {
    const searches = ['a', 'b', 'c'].map((name, index) => `${name}: {${items[index]}}`);
    return `{${searches.join(', ')}, condition: ${condition}}`;
  });

interface Row {
  readonly parent: number;
  readonly end: number;
  readonly fields: Readonly<Record<string, Value>>;
}

/** Spans of two traces; the parent of a span is any number, also its own and one that never comes. */
const rows = fc.array(
  fc.record({
    parent: fc.integer({ min: 0, max: 14 }),
    end: fc.integer({ min: 0, max: 45 }),
    fields: fc.record(
      { tool: fc.constantFrom(...values), agent: fc.constantFrom(...values) },
      { requiredKeys: [] },
    ) as fc.Arbitrary<Readonly<Record<string, Value>>>,
  }),
  { minLength: 1, maxLength: 12 },
);

function spansOf(all: readonly Row[]): PlainSpan[] {
  return all.map(({ parent, end, fields }, index) => ({
    fields: {
      trace_id: String(index % 5 === 4 ? 2 : 1).repeat(32),
      span_id: idOf(index + 1),
      ...(parent > 0 && { parent_span_id: idOf(parent) }),
      ...fields,
    },
    endNanos: BigInt(1000 + end) * second,
  }));
}

function idOf(number: number): string {
  return number.toString(16).padStart(16, '0');
}

function rulesOf(detections: readonly string[]) {
  const texts = detections.map(
    (detection, index) =>
      `title: r${index}\nname: r${index}\nlogsource: {product: ai_agent, category: tool}\ndetection: ${detection}\n`,
  );
  return loadRules([{ path: 'r.yml', text: texts.join('---\n') }]).rules;
}

/** The plain way: every span with all others at hand, in the detector's ordinary code. */
function plain(detections: readonly string[], spans: readonly PlainSpan[]): string[] {
  const fields = createFieldTable();
  const rules = rulesOf(detections).filter((each) => ancestryFieldsOf(each).length > 0);
  const events = plainEvents(spans, (id) => fields.name(id));
  const found: string[] = [];
  for (const each of rules) {
    const seen = withAncestry(events, { fields, names: ancestryFieldsOf(each), waitNanos });
    const node = compileRule(each, createShared(fields));
    for (let span = 0; span < spans.length; span++) {
      if (node.test({ events: seen, span, turn: span })) {
        found.push(`${each.meta.id} ${spans[span]!.fields.trace_id} ${spans[span]!.fields.span_id}`);
      }
    }
  }
  return found.sort();
}

interface Run {
  readonly order: readonly number[];
  /** Sizes of batches, over and over. */
  readonly batches: readonly number[];
  /**
   * What happens between batches: nothing, a restart from a snapshot, a restart from an older one and journals, other rules that take
   * over; or a snapshot is begun that is finished after the next batch.
   */
  readonly breaks: readonly ('none' | 'snapshot' | 'journal' | 'takeOver' | 'slices')[];
}

function streamed(detections: readonly string[], spans: readonly PlainSpan[], run: Run, lateNanos: bigint) {
  const create = (fields = createFieldTable()) => {
    const rules = rulesOf(detections);
    return {
      fields,
      ancestry: new Ancestry({ rules, fields, waitNanos, allowedLatenessNanos: lateNanos, journalled: true }),
    };
  };
  let { fields, ancestry } = create();
  let checkpoint = ancestry.snapshot();
  let journals: Uint8Array[] = [];
  let making: { readonly slices: Slices; readonly pieces: Uint8Array[] } | undefined;
  const matches: AncestryMatch[] = [];
  const restart = (kind: 'snapshot' | 'journal') => {
    const snapshot = kind === 'snapshot' ? ancestry.snapshot() : checkpoint;
    const left = kind === 'snapshot' ? [] : journals;
    ({ fields, ancestry } = create());
    assert.equal(ancestry.restore(snapshot).status, 'restored');
    for (const journal of left) ancestry.replay(journal);
    if (kind === 'snapshot') checkpoint = snapshot;
    journals = left;
  };
  const finish = (journal: Uint8Array) => {
    if (!making) return;
    making.pieces.push(wholeOf(making.slices));
    if (!making.slices.isCut) {
      checkpoint = Buffer.concat(making.pieces);
      journals = [journal];
    }
    making = undefined;
  };
  let at = 0;
  for (let batch = 0; at < run.order.length; batch++) {
    const size = run.batches[batch % run.batches.length]!;
    const part = run.order.slice(at, at + size).map((index) => spans[index]!);
    at += size;
    const events = plainEvents(part, (id) => fields.name(id));
    for (let span = 0; span < part.length; span++) ancestry.add({ events, span, turn: span }, events.categories(span));
    matches.push(...ancestry.settle());
    const journal = ancestry.takeJournal();
    journals.push(journal);
    finish(journal);
    const kind = run.breaks[batch % run.breaks.length]!;
    if (kind === 'slices') {
      const slices = ancestry.slices(1);
      making = { slices, pieces: [0, 1].map(() => slices.next() ?? new Uint8Array()) };
    } else if (kind === 'takeOver') {
      const earlier = ancestry;
      ({ ancestry } = create(fields));
      assert.equal(ancestry.takeOver(earlier)?.status, 'restored');
    } else if (kind !== 'none') restart(kind);
  }
  matches.push(...ancestry.flush());
  return matches.map(({ finding }) => finding);
}

function keysOf(findings: readonly Finding[]): string[] {
  return findings.map(({ ruleId, traceId, spanId }) => `${ruleId} ${traceId} ${spanId}`).sort();
}

function inOrder(findings: readonly Finding[]): Finding[] {
  return [...findings].sort((a, b) => (a.id < b.id ? -1 : 1));
}

const breaks = fc.array(fc.constantFrom<Run['breaks'][number]>('none', 'snapshot', 'journal', 'takeOver', 'slices'), {
  minLength: 1,
  maxLength: 4,
});

test('any order, any batches and any restart give what a look at all spans at once gives', () => {
  const scenario = fc.tuple(fc.array(rule, { minLength: 1, maxLength: 3 }), rows).chain(([detections, all]) =>
    fc.record({
      detections: fc.constant(detections),
      all: fc.constant(all),
      order: fc.shuffledSubarray([...all.keys()], { minLength: all.length, maxLength: all.length }),
      batches: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }),
      breaks,
    }),
  );
  let found = 0;
  fc.assert(
    fc.property(scenario, ({ detections, all, ...run }) => {
      const spans = spansOf(all);
      // The lateness is larger than all times, so that every order is within it.
      const findings = streamed(detections, spans, run, 100n * second);
      assert.deepEqual(keysOf(findings), plain(detections, spans));
      const sorted = { order: [...spans.keys()], batches: [spans.length], breaks: ['none' as const] };
      assert.deepEqual(inOrder(findings), inOrder(streamed(detections, spans, sorted, 100n * second)));
      found += findings.length;
    }),
    { numRuns: 200 },
  );
  assert.ok(found > 100, 'the scenarios find something');
});

test('a small lateness: orders within it give the same, and decisions do not wait for the end', () => {
  const late = 4;
  const scenario = fc.tuple(fc.array(rule, { minLength: 1, maxLength: 3 }), rows).chain(([detections, all]) =>
    fc.record({
      detections: fc.constant(detections),
      all: fc.constant(all),
      delays: fc.array(fc.double({ min: 0, max: late - 0.01, noNaN: true }), {
        minLength: all.length,
        maxLength: all.length,
      }),
      batches: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }),
      breaks,
    }),
  );
  fc.assert(
    fc.property(scenario, ({ detections, all, delays, ...run }) => {
      const spans = spansOf(all);
      const order = [...all.keys()].sort((a, b) => all[a]!.end + delays[a]! - all[b]!.end - delays[b]!);
      const findings = streamed(detections, spans, { ...run, order }, BigInt(late) * second);
      assert.deepEqual(keysOf(findings), plain(detections, spans));
    }),
    { numRuns: 200 },
  );
});

test('state that is not readable is refused, what belongs to other rules is left out', () => {
  const fields = createFieldTable();
  const options = { fields, waitNanos, allowedLatenessNanos: second, journalled: true };
  const before = new Ancestry({ ...options, rules: rulesOf(['{a: {tool: a, parent.agent: a}, condition: a}']) });
  const spans = spansOf([{ parent: 2, end: 0, fields: { tool: 'a' } }]);
  const events = plainEvents(spans, (id) => fields.name(id));
  before.add({ events, span: 0, turn: 0 }, events.categories(0));
  before.settle();
  for (const bytes of [Buffer.from('{'), Buffer.from('{}'), Buffer.from('{"format":1}'), new Uint8Array()]) {
    assert.deepEqual(before.restore(bytes), { status: 'unreadable' });
  }
  assert.equal(before.stats().waiting, 1);
  const after = new Ancestry({ ...options, rules: rulesOf(['{a: {tool: a, parent.tool: a}, condition: a}']) });
  assert.deepEqual(after.restore(before.snapshot()), { status: 'restored', rules: 0 });
  assert.deepEqual([after.stats().waiting, after.stats().spans], [0, 1]);
  assert.throws(() => after.replay(Buffer.from('no journal')), SyntaxError);
});
