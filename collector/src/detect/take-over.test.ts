import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createFieldTable } from '../model/fields.ts';
import type { Finding } from '../model/finding.ts';
import { createDetector, type Detector } from './engine.ts';
import { loadRules } from './load.ts';
import { type PlainSpan, plainEvents } from './testing/plain-events.ts';

const second = 1_000_000_000n;

const head = (name: string) => `title: ${name}\nid: ${name}\nname: ${name}\n`;
const rule = (name: string, detection: string) =>
  `${head(name)}logsource: {product: ai_agent, category: tool}\ndetection: {s: {${detection}}, condition: s}\n`;
const correlation = (type: string, rules: string, more: string) =>
  `${head(`${type}_rule`)}correlation:\n  type: ${type}\n  rules: [${rules}]\n  group-by: [g]\n  timespan: 10s\n${more}`;

const kept = [
  rule('a', 'tool: a'),
  rule('b', 'tool: b'),
  rule('above', 'tool: a, parent.tool: b'),
  correlation('event_count', 'a', '  condition: {gte: 3}\n'),
  correlation('value_count', 'a, b', '  condition: {field: v, gte: 2}\n'),
  correlation('temporal', 'a, b', ''),
  correlation('event_count', 'above', '  condition: {lte: 1}\n').replaceAll('event_count_rule', 'few_rule'),
];
const added = correlation('event_count', 'b', '  condition: {gte: 2}\n').replaceAll('event_count_rule', 'new');
const chained = correlation('event_count', 'temporal_rule', '  condition: {gte: 2}\n').replaceAll(
  'event_count_rule',
  'top',
);

/** What a reload may bring along: nothing, rules before and after the others, the others in another order, or fewer of them. */
const changes: Readonly<Record<string, readonly string[]>> = {
  nothing: kept,
  rules: [rule('z', 'tool: z'), ...kept, rule('y', 'tool: a, ancestor.tool: a')],
  field: [rule('z', 'tool: a, parent.g: one'), ...kept],
  correlations: [added, ...kept],
  reversed: [...kept, added].reverse(),
  chained: [
    ...kept.slice(3).reverse(),
    chained.replace('  timespan', '  generate: true\n  timespan'),
    ...kept.slice(0, 3),
  ],
  fewer: kept.filter((text) => !text.includes('temporal_rule')).reverse(),
  changed: kept.map((text) => text.replace('gte: 3', 'gte: 4')),
};
/** After these, and changes back, all rules of `kept` are as they were. */
const calm = Object.keys(changes).filter((change) => !['fewer', 'changed'].includes(change));

const loaded = (texts: readonly string[]) => loadRules([{ path: 'r.yml', text: texts.join('---\n') }]);
const first = loaded(kept);
const sets = Object.fromEntries(Object.entries(changes).map(([change, texts]) => [change, loaded(texts)]));

type Change = keyof typeof changes;

interface Step {
  readonly spans: readonly {
    readonly tool: string;
    readonly g: string;
    readonly v: string;
    readonly parent: number;
    readonly late: number;
  }[];
  readonly change: Change;
}

const stepsWith = (which: readonly Change[]): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.record({
      spans: fc.array(
        fc.record({
          tool: fc.constantFrom('a', 'b', 'z'),
          g: fc.constantFrom('one', 'two'),
          v: fc.constantFrom('v', 'w'),
          parent: fc.integer({ min: -4, max: 4 }),
          late: fc.nat(4),
        }),
        { maxLength: 5 },
      ),
      change: fc.constantFrom(...which),
    }),
    { minLength: 2, maxLength: 8 },
  );

/** What goes on after a change, in place of the detector that was there. */
type Reload = (create: () => Detector, earlier: Detector) => Detector;

/** The findings of each step, with a reload after it. */
function run(all: readonly Step[], reload: Reload | undefined): Finding[][] {
  const fields = createFieldTable();
  const create = (change: Change | undefined) =>
    createDetector({
      ...(change === undefined ? first : sets[change]!),
      ...{ fields, allowedLatenessNanos: 3n * second, traceWaitNanos: 6n * second, journal: true },
    });
  let detector = create(undefined);
  let made = 0;
  const found = all.map(({ spans, change }) => {
    const plain = spans.map(({ tool, g, v, parent, late }): PlainSpan => {
      made++;
      const parentId = made - parent;
      const ids = { trace_id: g.padEnd(32, '0').replace(/[^0-9a-f]/g, 'e'), span_id: idOf(made) };
      const above = parent !== 0 && parentId > 0 ? { parent_span_id: idOf(parentId) } : {};
      return { fields: { ...ids, ...above, tool, g, v }, endNanos: BigInt(1000 + made - late) * second };
    });
    const findings = detector.detect(plainEvents(plain, (id) => fields.name(id)));
    if (!reload) return findings;
    detector = reload(() => create(change), detector);
    return findings;
  });
  return [...found, detector.flush()];
}

function idOf(number: number): string {
  return number.toString(16).padStart(16, '0');
}

const takeOver: Reload = (create, earlier) => {
  const next = create();
  assert.equal(next.takeOver(earlier).unreadable, undefined);
  return next;
};
const restore: Reload = (create, earlier) => {
  const next = create();
  assert.deepEqual(next.restore(earlier.snapshot()).unreadable, undefined);
  return next;
};
/** A checkpoint after the change, and a start from it. */
const checkpoint: Reload = (create, earlier) => restore(create, takeOver(create, earlier));
/** Every other time there is a crash after the change, and a start from the journals since the beginning. */
function crashing(): Reload {
  const journals: Uint8Array[] = [];
  return (create, earlier) => {
    journals.push(earlier.takeJournal());
    const next = takeOver(create, earlier);
    if (journals.length % 2 === 0) return next;
    const again = create();
    for (const journal of journals) again.replay(journal);
    return again;
  };
}

const stays = (ruleId: string) => !['z', 'y', 'new', 'top'].includes(ruleId);

/** The findings of some rules, by rule: in what order rules stand is none of their business. */
function told(findings: readonly Finding[][], of: (ruleId: string) => boolean): unknown[] {
  return findings.map((each) =>
    each.filter(({ ruleId }) => of(ruleId)).sort((a, b) => (a.ruleId < b.ruleId ? -1 : a.ruleId > b.ruleId ? 1 : 0)),
  );
}

test('reloads in which a detector takes over from another change no finding of rules that stay', () => {
  let count = 0;
  fc.assert(
    fc.property(stepsWith(calm), (all) => {
      const undisturbed = run(all, undefined);
      assert.deepEqual(told(run(all, takeOver), stays), told(undisturbed, stays));
      count += undisturbed.flat().length;
    }),
    { numRuns: 60 },
  );
  assert.ok(count > 100, 'the spans find something');
});

/** The last version of each finding of rules that every change leaves as they are, or of all. */
function settled(findings: readonly Finding[][], of: (ruleId: string) => boolean = () => true): unknown[] {
  const own = findings.flat().filter(({ ruleId }) => of(ruleId));
  const last = new Map(own.map((finding) => [finding.id, { ...finding, version: 0n }]));
  return [...last].sort(([a], [b]) => (a < b ? -1 : 1));
}

test('taking over and a snapshot that is restored give the same, whatever changed, also after a checkpoint', () => {
  fc.assert(
    fc.property(stepsWith(Object.keys(changes)), (all) => {
      const taken = settled(run(all, takeOver));
      assert.deepEqual(taken, settled(run(all, restore)));
      assert.deepEqual(taken, settled(run(all, checkpoint)));
    }),
    { numRuns: 60 },
  );
});

test('crashes between reloads change no finding of rules that stay', () => {
  fc.assert(
    fc.property(stepsWith(calm), (all) => {
      assert.deepEqual(settled(run(all, crashing()), stays), settled(run(all, undefined), stays));
    }),
    { numRuns: 60 },
  );
});
