import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createFieldTable } from '../../../model/fields.ts';
import type { Finding } from '../../../model/finding.ts';
import type { Value } from '../../../model/value.ts';
import { loadRules } from '../../load.ts';
import { plainEvents } from '../../testing/plain-events.ts';
import { createCorrelating } from '../correlating.ts';
import { robustScore } from './robust.ts';
import {
  addDistinct,
  addToFilter,
  createDistinct,
  createFilter,
  distinctText,
  filterErrorRate,
  filterHas,
} from './sketch.ts';
import { termsOf } from './terms.ts';

const second = 1_000_000_000n;

/** A correlation over spans of the rules a and b, group g, fields v and n, that settles at once. */
function setup(body: string, bounds: Parameters<typeof createCorrelating>[3] = {}) {
  const base = (rule: string) =>
    `title: ${rule}\nname: ${rule}\nlogsource: {product: ai_agent, category: tool}\n` +
    `detection: {s: {tool: ${rule}}, condition: s}\n`;
  const lines = body.split('\n').map((line) => `  ${line}`);
  const rule = `title: x\nname: x\ncorrelation:\n  group-by: [g]\n${lines.join('\n')}\n`;
  const fields = createFieldTable();
  const { rules, correlations } = loadRules([{ path: 'r.yml', text: [base('a'), base('b'), rule].join('---\n') }]);
  const correlating = createCorrelating(correlations, fields, 0n, bounds);
  let turn = 0;
  const add = (at: number, more: Readonly<Record<string, Value>> = {}, tool = 'a'): Finding[] => {
    const endNanos = BigInt(1_000_000 + at) * second;
    const spanId = (turn + 1).toString(16).padStart(16, '0');
    const events = plainEvents(
      [{ fields: { tool, g: 'x', span_id: spanId, ...more }, startNanos: endNanos, endNanos }],
      (id) => fields.name(id),
    );
    correlating.add(
      { events, span: 0, turn: turn++ },
      rules.filter(({ meta }) => meta.name === tool),
    );
    correlating.observe(events, undefined);
    return correlating.settle();
  };
  return { correlating, add, stats: () => correlating.stats().rules[0]! };
}

const shownOf = (finding: Finding | undefined): string => finding!.evidence[0]!.excerpt;

describe('new_value', () => {
  const body = 'type: new_value\nrules: [a]\nfield: v\nlearn_events: 1\nttl: 10d';

  test('says how much history there is, and masks what looks like a secret', () => {
    const { add, correlating } = setup(body);
    for (let at = 0; at < 20; at++) add(at, { v: 'known', 'gen_ai.conversation.id': `c${at % 4}` });
    add(20, { v: ['known', 'sk-live-4f9a8b7c6d5e4f3a2b1c0d9e'] });
    const [finding] = correlating.flush();
    assert.match(shownOf(finding), /: first in 21 events of 5 sessions$/);
    assert.doesNotMatch(shownOf(finding), /8b7c6d5e4f3a2b1c/);
  });

  test('past the exact set a filter remembers, and the finding says what it misses', () => {
    const { add, correlating, stats } = setup(body);
    add(0, { v: 'first' });
    for (let at = 1; at <= 60; at++) {
      add(at, { v: Array.from({ length: 200 }, (_, index) => `v${at * 200 + index}`) });
    }
    assert.ok(stats().droppedEvents > 1500, 'values in the filter are counted');
    assert.match(
      shownOf(add(61, { v: 'v12100' })[0]),
      /a filter remembers the rarer values and misses 0\.\d+ % of new ones$/,
    );
    assert.deepEqual(correlating.flush(), [], 'a value in the filter is known');
  });

  test('the filter finds all that was added and its error rate is what it says', () => {
    const filter = createFilter();
    for (let each = 0; each < 10_000; each++) addToFilter(filter, `in ${each}`);
    for (let each = 0; each < 10_000; each++) assert.ok(filterHas(filter, `in ${each}`));
    let wrong = 0;
    for (let each = 0; each < 20_000; each++) if (filterHas(filter, `out ${each}`)) wrong++;
    assert.ok(Math.abs(wrong / 20_000 - filterErrorRate(filter)) < 0.005);
  });

  test('sessions are counted exactly, then about right', () => {
    const distinct = createDistinct();
    for (let each = 0; each < 64; each++) for (let twice = 0; twice < 2; twice++) addDistinct(distinct, `s${each}`);
    assert.equal(distinctText(distinct), '64');
    for (let each = 64; each < 20_000; each++) addDistinct(distinct, `s${each}`);
    const about = Number(distinctText(distinct).replace('about ', ''));
    assert.ok(Math.abs(about - 20_000) < 4_000, `${about}`);
  });
});

describe('rare', () => {
  test('values forgotten for room count as if they were as frequent as they can have been', () => {
    const { add, correlating, stats } = setup('type: rare\nrules: [a]\nfield: v\nmax_count: 1\nmin: 10\nhistory: 10d');
    for (let at = 0; at < 200; at++) add(at, { v: Array.from({ length: 100 }, (_, index) => `v${at * 100 + index}`) });
    add(200, { v: 'often' });
    const shown = [...add(201, { v: 'v5' }), ...correlating.flush()].map(shownOf);
    assert.ok(stats().droppedEvents > 0);
    assert.ok(
      shown.includes('often: in 1 of 200 events before'),
      'a value that was never seen may have been forgotten',
    );
  });
});

describe('rate_anomaly', () => {
  const scored = (x: number, history: readonly number[], zeros = 0) =>
    robustScore(x, Float64Array.from(history), zeros, 1);

  test('the score is the distance from the median in median distances', () => {
    assert.deepEqual(scored(30, [10, 12, 14, 16, 18]), { median: 14, scale: 2, score: 8 });
    assert.deepEqual(scored(-2, [10, 12, 14, 16, 18]), { median: 14, scale: 2, score: -8 });
  });

  test('a history of one number has a tenth of it, or one, as its noise', () => {
    assert.deepEqual(scored(160, [100, 100, 100, 100]), { median: 100, scale: 10, score: 6 });
    assert.deepEqual(scored(6, [], 50), { median: 0, scale: 1, score: 6 });
  });

  test('where most is one number the mean distance stands in, zeros between numbers count', () => {
    assert.deepEqual(scored(40, [40], 3), { median: 0, scale: 10, score: 4 });
    assert.equal(scored(0, [-4, 6], 1).median, 0);
    assert.equal(scored(0, [-4, -2, 6], 1).median, -1);
  });

  test('a span on the border belongs to the later bucket', () => {
    const { add, correlating } = setup(
      'type: rate_anomaly\nrules: [a]\nmeasure: count\nbucket: 10s\nhistory: 100s\nmin: 2\nscore: 3',
    );
    for (const at of [0, 10, 20, 30]) add(at);
    for (let each = 0; each < 5; each++) add(40);
    assert.equal(correlating.flush().length, 1);
  });

  test('a ratio of nothing is none', () => {
    const { add, correlating } = setup(
      'type: rate_anomaly\nrules: [a, b]\nmeasure: ratio(a, b)\nbucket: 10s\nhistory: 200s\nmin: 2\nscore: 3',
    );
    for (let at = 0; at < 60; at += 10) add(at, {}, 'b');
    for (let each = 0; each < 9; each++) add(60, {}, 'a');
    add(70, {}, 'b');
    for (let each = 0; each < 3; each++) add(70, {}, 'a');
    const findings = correlating.flush();
    assert.deepEqual(
      findings.map(({ count }) => count),
      [4],
    );
    assert.match(shownOf(findings[0]), /^ratio 3, 300 deviations of 0.01 above the median 0 of 6 buckets$/);
  });

  test('silence is an anomaly only where it is asked for, the end of the data never', () => {
    for (const [direction, wanted] of [
      ['down', 1],
      ['up', 0],
    ] as const) {
      const { add, correlating } = setup(
        `type: rate_anomaly\nrules: [a]\nmeasure: count\nbucket: 10s\nhistory: 200s\nmin: 3\nscore: 3\ndirection: ${direction}`,
      );
      const found: Finding[] = [];
      for (let at = 0; at < 60; at++) found.push(...add(at));
      found.push(...add(85, { g: 'y' }));
      found.push(...correlating.flush());
      assert.equal(new Set(found.map(({ id }) => id)).size, wanted, direction);
    }
  });
});

describe('absence', () => {
  const body = 'type: absence\nrules: [a, b]\nwithin: 10s';

  test('exactly within counts, a moment more does not', () => {
    for (const [gap, wanted] of [
      [10, 0],
      [11, 1],
    ] as const) {
      const { add, correlating } = setup(body);
      add(0);
      add(gap, {}, 'b');
      assert.equal(correlating.flush().length, wanted);
    }
  });

  test('more spans at one moment than can wait are counted', () => {
    const { add, correlating, stats } = setup(body);
    for (let each = 0; each < 1005; each++) add(5, {}, 'b');
    assert.equal(correlating.flush()[0]!.count, 1000);
    assert.equal(stats().droppedEvents, 5);
  });
});

describe('groups', () => {
  test('the stalest gives way and is counted', () => {
    const { add, correlating, stats } = setup('type: new_value\nrules: [a]\nfield: v\nlearn_events: 1\nttl: 1d', {
      groupsMax: 2,
    });
    for (const [at, g] of ['x', 'y', 'z', 'x'].entries()) add(at, { g, v: 'p' });
    add(9, { g: 'x', v: 'q' });
    assert.equal(stats().evictedGroups, 2);
    assert.equal(correlating.flush().length, 1);
  });
});

describe('conditions in words', () => {
  const id = (name: string) => ({ kind: 'identifier', name }) as const;

  test('alternatives, with what is needless left out', () => {
    const rules = ['a', 'b', 'c'];
    const either = { kind: 'or', parts: [id('b'), id('c')] } as const;
    assert.deepEqual(termsOf({ kind: 'and', parts: [id('a'), either] }, rules), [
      { wanted: 3, unwanted: 0 },
      { wanted: 5, unwanted: 0 },
    ]);
    assert.deepEqual(termsOf({ kind: 'or', parts: [id('a'), { kind: 'and', parts: [id('a'), id('b')] }] }, rules), [
      { wanted: 1, unwanted: 0 },
    ]);
    assert.deepEqual(termsOf({ kind: 'and', parts: [id('a'), { kind: 'not', part: either }] }, rules), [
      { wanted: 1, unwanted: 6 },
    ]);
    const two = { kind: 'of', count: 2, names: rules, written: '2 of them' } as const;
    assert.deepEqual(
      (termsOf(two, rules) as readonly { wanted: number }[]).map(({ wanted }) => wanted),
      [3, 5, 6],
    );
  });

  test('too many alternatives are refused before they are made', () => {
    const rules = Array.from({ length: 30 }, (_, index) => `r${index}`);
    const parts = Array.from({ length: 15 }, (_, pair) => ({
      kind: 'or' as const,
      parts: [id(`r${pair * 2}`), id(`r${pair * 2 + 1}`)],
    }));
    assert.equal(termsOf({ kind: 'and', parts }, rules), 'too_many');
  });

  test('without `not` they fire at the span that completes them', () => {
    const { add } = setup('type: temporal\nrules: [a, b]\ntimespan: 10s\ncondition: a and b');
    add(0);
    assert.equal(add(3, {}, 'b').length + add(4, {}, 'none').length, 1);
  });
});
