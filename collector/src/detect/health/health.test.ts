import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createFieldTable } from '../../model/fields.ts';
import { Category } from '../../model/span-events.ts';
import { createDetector, type DetectorOptions } from '../engine.ts';
import { loadRules } from '../load.ts';
import { type PlainSpan, plainEvents, ruleWith } from '../testing/plain-events.ts';
import type { DisabledRule } from './guard.ts';
import { agentsMax, otherAgents } from './tally.ts';

const first = ruleWith('s:\n  a: x\ncondition: s');
const second = first.replace('6f2f2a54', '7f2f2a54').replace('a: x', 'b|re: x+');
const firstId = '6f2f2a54-7ed9-4d3f-a8d8-6f1f6d9f2b10';
const secondId = '7f2f2a54-7ed9-4d3f-a8d8-6f1f6d9f2b10';
const filter =
  'title: Quiet\nid: quiet\nlogsource: {product: ai_agent}\nfilter:\n  rules: any\n  q: {b: quiet}\n  condition: not q\n';

function detectorOf(texts: readonly string[], options: Partial<DetectorOptions> = {}) {
  const fields = createFieldTable();
  const set = loadRules(texts.map((text, index) => ({ path: `${index}.yml`, text })));
  const detector = createDetector({ ...set, fields, ...options });
  const send = (spans: readonly PlainSpan[]) => detector.detect(plainEvents(spans, (id) => fields.name(id)));
  return { detector, send };
}

/** A clock that moves on by what each part of a span says it takes. */
function clockOf(taken: { ms: number }): () => number {
  let now = 0;
  return () => {
    now += taken.ms;
    return now;
  };
}

describe('what rules did', () => {
  test('is told once, by rule, by agent and by filter', () => {
    const { detector, send } = detectorOf([first, filter]);
    send([
      { fields: { a: 'x', 'gen_ai.agent.name': 'one' }, endNanos: 7n },
      { fields: { a: 'x', 'service.name': 'two' }, endNanos: 9n },
      { fields: { a: 'x', b: 'quiet' } },
      { fields: { a: 'y' } },
      { fields: { a: 'x' }, categories: Category.llm },
      { fields: { a: 'x' }, categories: 0 },
    ]);
    const { stats } = detector.takeHealth(0);
    const rows = stats.map(
      ({ agentName, filterId, spans, candidates, matches, findings, suppressed, lastMatchNanos }) => [
        [agentName, filterId],
        [spans, candidates, matches, findings, suppressed, Number(lastMatchNanos)],
      ],
    );
    assert.deepEqual(rows, [
      [
        ['', ''],
        [4, 3, 0, 0, 0, 0],
      ],
      [
        ['one', ''],
        [0, 0, 1, 1, 0, 7],
      ],
      [
        ['two', ''],
        [0, 0, 1, 1, 0, 9],
      ],
      [
        ['', 'quiet'],
        [0, 0, 0, 0, 1, 0],
      ],
    ]);
    assert.deepEqual(detector.takeHealth(0).stats, []);
    assert.deepEqual(detector.ruleStats(), [{ ruleId: firstId, spans: 4, matches: 2 }]);
  });

  test('agents beyond a bound are counted together', () => {
    const { detector, send } = detectorOf([first]);
    send(Array.from({ length: agentsMax + 5 }, (_, i) => ({ fields: { a: 'x', 'gen_ai.agent.name': `a${i}` } })));
    const { stats } = detector.takeHealth(0);
    assert.equal(stats.length, agentsMax + 2);
    assert.equal(stats.find(({ agentName }) => agentName === otherAgents)?.matches, 5);
  });
});

describe('a rule that misbehaves', () => {
  test('is disabled when it keeps taking too long on one span; the others go on', () => {
    const taken = { ms: 0 };
    const told: DisabledRule[] = [];
    const reasons = () => told.map(({ reason }) => reason).join();
    const budget = { spanMs: 10, strikesMax: 2, sampleEvery: 1_000_000 };
    const options = { clock: clockOf(taken), budget, onDisabled: (rule: DisabledRule) => told.push(rule) };
    const { detector, send } = detectorOf([first, second], options);
    taken.ms = 20;
    send([{ fields: { a: 'x', b: 'x' } }]);
    assert.equal(told.length, 0);
    send([{ fields: { a: 'x', b: 'x' } }]);
    assert.deepEqual(
      told.map(({ ruleId }) => ruleId),
      [firstId, secondId],
    );
    assert.match(reasons(), /took 20 ms on one span, more than 10 ms, for the 2\. time/);
    assert.deepEqual(detector.disabledRules(), told);
    assert.equal(send([{ fields: { a: 'x', b: 'x' } }]).length, 0);
  });

  test('has more time for larger requests, so that no sender can get it disabled by size', () => {
    const fields = createFieldTable();
    const set = loadRules([{ path: 'r.yml', text: first }]);
    const budget = { spanMs: 10, meanMicros: 1, meanSamples: 1, strikesMax: 1, sampleEvery: 1_000_000 };
    const detector = createDetector({ ...set, fields, budget, clock: clockOf({ ms: 20 }) });
    const send = (bytes: number) => {
      const events = plainEvents([{ fields: { a: 'x' } }], (id) => fields.name(id));
      detector.detect({ ...events, batch: Object.assign(events.batch, { bytes: { length: bytes } }) });
      return detector.disabledRules().length;
    };
    assert.equal(send(9 * 1024 * 1024), 0);
    assert.equal(send(7 * 1024 * 1024), 1);
  });

  test('is disabled when it costs too much on average', () => {
    const taken = { ms: 0.5 };
    const budget = { meanMicros: 400, meanSamples: 3, sampleEvery: 2 };
    const { detector, send } = detectorOf([first], { clock: clockOf(taken), budget });
    for (let span = 0; span < 4; span++) send([{ fields: { a: 'x' } }]);
    assert.deepEqual(detector.disabledRules(), []);
    const [stats] = detector.takeHealth(0).stats;
    assert.deepEqual([stats?.sampledSpans, stats?.sampledNanos], [2, 1e6]);
    send([{ fields: { a: 'x' } }]);
    assert.match(detector.disabledRules()[0]?.reason ?? '', /took 500 µs on average over 3 spans, more than 400 µs/);
  });

  test('is disabled when it keeps throwing, and costs no other rule a finding', () => {
    const set = loadRules([first, second].map((text, index) => ({ path: `${index}.yml`, text })));
    const broken = set.rules.map((rule, index) => (index === 0 ? throwing(rule) : rule));
    const { detector, send } = detectorOf([], { rules: broken, budget: { strikesMax: 2 } });
    for (const disabled of [0, 1, 1]) {
      assert.deepEqual(
        send([{ fields: { a: 'x', b: 'x' } }]).map(({ ruleId }) => ruleId),
        [secondId],
      );
      assert.equal(detector.disabledRules().length, disabled);
    }
    assert.match(detector.disabledRules()[0]!.reason, /it threw RangeError: too deep, for the 2\. time/);
    assert.equal(detector.takeHealth(0).stats.find(({ ruleId }) => ruleId === firstId)?.errors, 2);
  });

  // Of one that requires a text the answer is remembered with the text.
  for (const required of ['', 'begin']) {
    test(`a heavy expression on a huge text loses its rule and nothing else${required && ', also when it requires a text'}`, () => {
      const heavy = first.replace('a: x', () => `a|re: '${required}(?:[ab]+[bc]+)+[^d]{1,200}[ef]+[gh]$'`);
      const { detector, send } = detectorOf([heavy, second], {
        clock: () => performance.now(),
        budget: { spanMs: 1, strikesMax: 1 },
      });
      const text = `${required}${'aab'.repeat(100_000)}c${'x'.repeat(100_000)}`;
      assert.equal(send([{ fields: { a: text, b: 'x' } }]).length, 1);
      assert.deepEqual(
        detector.disabledRules().map(({ ruleId }) => ruleId),
        [firstId],
      );
      assert.equal(send([{ fields: { a: text, b: 'x' } }]).length, 1);
    });
  }
});

function throwing<T extends ReturnType<typeof loadRules>['rules'][number]>(rule: T): T {
  const fail = () => {
    throw new RangeError('too deep');
  };
  const matcher = { test: fail, wanted: 'x', required: [] };
  const item = { selection: 's', field: 'a', test: { kind: 'values', groups: [[matcher]], negate: false } } as const;
  return { ...rule, detection: { ...rule.detection, searches: new Map([['s', { kind: 'item', item }]]) } };
}
