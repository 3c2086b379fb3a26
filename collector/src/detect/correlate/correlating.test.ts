import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createFieldTable } from '../../model/fields.ts';
import { type Finding, versionOf } from '../../model/finding.ts';
import { limits } from '../../model/limits.ts';
import type { Value } from '../../model/value.ts';
import { createDetector, type Detector } from '../engine.ts';
import { loadRules } from '../load.ts';
import { type PlainSpan, plainEvents } from '../testing/plain-events.ts';
import { createCorrelating } from './correlating.ts';
import { evidenceSpanIds } from './findings.ts';

const second = 1_000_000_000n;

const base = (tool: string) =>
  `title: ${tool}\nname: ${tool}\nlogsource: {product: ai_agent, category: tool}\n` +
  `detection: {s: {tool: ${tool}}, condition: s}\n`;

interface Options {
  readonly type?: string;
  readonly rules?: string;
  readonly groupBy?: string;
  readonly condition?: string;
  readonly name?: string;
  readonly more?: string;
}

function correlation({ type = 'event_count', rules = '[a]', groupBy = '[g]', ...rest }: Options) {
  const { name = 'c', more = '', condition = '{gte: 2}' } = rest;
  return (
    `title: ${name}\nname: ${name}\ncorrelation:\n  type: ${type}\n  rules: ${rules}\n  group-by: ${groupBy}\n` +
    `  timespan: 10s\n  condition: ${condition}\n${more}`
  );
}

interface Setup {
  readonly detector: Detector;
  /** Sends spans in one batch. */
  send(...spans: readonly PlainSpan[]): Finding[];
  sendAt(nowNanos: bigint | undefined, ...spans: readonly PlainSpan[]): Finding[];
  /** Sends spans, then settles everything: the newest state of each finding, without those of base rules. */
  all(...spans: readonly PlainSpan[]): Finding[];
}

function setup(...documents: readonly string[]): Setup {
  const fields = createFieldTable();
  const text = [base('a'), base('b'), ...documents].join('---\n');
  const detector = createDetector({ ...loadRules([{ path: 'r.yml', text }]), fields });
  const sendAt = (nowNanos: bigint | undefined, ...spans: readonly PlainSpan[]) =>
    detector.detect(
      plainEvents(spans, (id) => fields.name(id)),
      nowNanos,
    );
  const send = (...spans: readonly PlainSpan[]) => sendAt(undefined, ...spans);
  return {
    detector,
    sendAt,
    send,
    all: (...spans) => {
      const findings = [...send(...spans), ...detector.flush()].filter(({ count }) => count !== undefined);
      return [...new Map(findings.map((finding) => [finding.id, finding])).values()];
    },
  };
}

function span(tool: string, atSeconds: number, more: Readonly<Record<string, Value>> = {}): PlainSpan {
  const endNanos = BigInt(1000 + atSeconds) * second;
  return { fields: { tool, g: 'x', span_id: spanId(tool, atSeconds), ...more }, endNanos, startNanos: endNanos - 1n };
}

function spanId(tool: string, atSeconds: number): string {
  return `${tool.charCodeAt(0).toString(16)}${atSeconds.toString(16)}`.padStart(16, '0');
}

describe('groups', () => {
  test('every key must be there and is compared as text; what has none is counted', () => {
    const { all, detector } = setup(correlation({ groupBy: '[g, h]' }));
    const findings = all(
      span('a', 1, { h: 1 }),
      span('a', 2, { h: '1' }),
      span('a', 3),
      span('a', 4, { h: null }),
      span('a', 5, { h: 2 }),
    );
    assert.deepEqual(
      findings.map(({ groupKey, count }) => [groupKey, count]),
      [['{"g":"x","h":"1"}', 2]],
    );
    assert.equal(detector.correlationStats().rules[0]!.withoutKey, 2);
  });

  test('an array puts the span into the group of each member', () => {
    const { all } = setup(correlation({}));
    const findings = all(span('a', 1, { g: ['x', 'y', 'x'] }), span('a', 2, { g: ['y', 'z'] }));
    assert.deepEqual(
      findings.map(({ groupKey }) => groupKey),
      ['{"g":"y"}'],
    );
  });

  test('members beyond the bound are counted', () => {
    const { all, detector } = setup(correlation({}));
    all(span('a', 1, { g: Array.from({ length: 100 }, (_, index) => `m${index}`) }));
    const { rules, droppedGroups } = detector.correlationStats();
    assert.deepEqual([rules[0]!.events, droppedGroups], [64, 36]);
  });

  test('[] is one group for everything', () => {
    const [finding] = setup(correlation({ groupBy: '[]' })).all(span('a', 1), span('a', 2, { g: 'y' }));
    assert.deepEqual([finding!.groupKey, finding!.count], ['', 2]);
  });

  test('an alias names another field for each rule, also of the value', () => {
    const more = '  aliases: {who: {a: g, b: h}, what: {a: p, b: q}}\n';
    const { all } = setup(
      correlation({
        type: 'value_count',
        rules: '[a, b]',
        groupBy: '[who]',
        condition: '{field: what, gte: 2}',
        more,
      }),
    );
    const findings = all(
      span('a', 1, { g: 'x', h: 'y', p: '1', q: '9' }),
      span('b', 2, { g: 'y', h: 'x', p: '8', q: '2' }),
      span('b', 3, { g: 'x', h: 'y', q: '2' }),
    );
    assert.deepEqual(
      findings.map(({ groupKey }) => groupKey),
      ['{"who":"x"}'],
    );
  });

  test('a long key is kept short, a secret in it is not shown', () => {
    const { all } = setup(correlation({}));
    const long = { g: `{"password": "hunter2secret", "text": "${'x'.repeat(1000)}"}` };
    const [finding] = all(span('a', 1, long), span('a', 2, long), span('a', 3, { g: `${long.g} ` }));
    assert.equal(finding!.count, 2);
    assert.ok(finding!.groupKey.length < 300 && !finding!.groupKey.includes('hunter2'));
  });
});

describe('windows and episodes', () => {
  const counts = (findings: readonly Finding[]) => findings.map(({ count }) => count);

  test('both ends of the window count', () => {
    assert.deepEqual(counts(setup(correlation({})).all(span('a', 0), span('a', 10))), [2]);
    assert.deepEqual(counts(setup(correlation({})).all(span('a', 0), span('a', 11))), []);
  });

  test('an episode is one finding with a stable id and place, and comes again only when it changes', () => {
    const { send, all } = setup(correlation({}));
    const due = (...spans: readonly PlainSpan[]) => send(...spans).filter(({ count }) => count !== undefined);
    const [early] = due(span('a', 1), span('a', 2));
    assert.deepEqual([early!.count, early!.spanId, early!.provisional], [2, spanId('a', 2), true]);
    assert.deepEqual(due(span('b', 3)), [], 'once');
    const [first] = due(span('b', 33));
    const { provisional: _, version, ...settled } = early!;
    assert.deepEqual(first, settled);
    assert.deepEqual([first!.count, first!.spanId, first!.timeNanos], [2, spanId('a', 2), 1002n * second]);
    assert.deepEqual(evidenceSpanIds(first!), [spanId('a', 1), spanId('a', 2)]);
    const [updated] = due(span('a', 5), span('b', 36));
    const evidence = [{ ...first!.evidence[0]!, excerpt: '3' }, ...first!.evidence.slice(1)];
    assert.deepEqual(updated, { ...first, count: 3, lastSeenNanos: 1005n * second, evidence });
    assert.deepEqual(due(span('b', 37)), []);
    const [next] = all(span('a', 50), span('a', 51));
    assert.deepEqual([next!.count, next!.id === first!.id], [2, false]);
  });

  test('silence ends an episode, even with a condition of one event', () => {
    const { all } = setup(correlation({ condition: '{gte: 1}' }));
    assert.deepEqual(counts(all(span('a', 0), span('a', 5), span('a', 30))), [2, 1]);
  });

  test('late spans are counted, stateless rules still see them', () => {
    const { send, detector } = setup(correlation({ more: '  generate: true\n' }));
    send(span('a', 100));
    assert.equal(send(span('a', 69)).length, 1);
    assert.equal(detector.correlationStats().late, 1);
    send(span('a', 70));
    assert.equal(detector.correlationStats().late, 1, 'exactly the allowed lateness is in time');
  });

  test('a span that comes twice counts once', () => {
    const { all, detector } = setup(correlation({}));
    assert.deepEqual(all(span('a', 1), span('a', 1)), []);
    assert.equal(detector.correlationStats().repeated, 1);
  });

  test('spans from the future do not move event time past now, and far ones are left out', () => {
    const { sendAt, detector } = setup(correlation({}));
    sendAt(1000n * second, span('a', 30), span('a', 31), span('a', 1e6), span('a', 0));
    assert.equal(detector.newestNanos, 1000n * second);
    const { late, future, waiting } = detector.correlationStats();
    assert.deepEqual([late, future, waiting], [0, 2, 2]);
  });

  test('advance gives what is due when no span comes', () => {
    const { send, detector } = setup(correlation({}));
    send(span('a', 1), span('a', 2));
    assert.deepEqual(counts(detector.advance(1032n * second)), [], 'it was given early, and is not settled');
    assert.deepEqual(counts(detector.advance(1033n * second)), [2]);
    assert.deepEqual(counts(detector.advance(1034n * second)), []);
  });
});

describe('early findings', () => {
  test('an earlier span that comes later changes the finding, not its id', () => {
    const { send, detector } = setup(correlation({ condition: '{gte: 3}' }));
    const given = (...spans: readonly PlainSpan[]) => send(...spans).filter(({ count }) => count !== undefined);
    assert.deepEqual(given(span('a', 1), span('a', 9)), []);
    const [early] = given(span('a', 8));
    assert.deepEqual([early!.spanId, early!.count], [spanId('a', 9), 3]);
    assert.deepEqual(given(span('a', 2)), []);
    const [settled] = detector.flush();
    assert.deepEqual([settled!.id, settled!.spanId, settled!.count], [early!.id, spanId('a', 8), 4]);
    assert.ok(versionOf(settled!) > versionOf(early!));
  });

  test('what more events may undo waits, and so does what only other correlations see', () => {
    for (const condition of ['{lt: 3}', '{gte: 1, lte: 2}']) {
      assert.deepEqual(setup(correlation({ condition })).send(span('a', 1)), []);
    }
    const sum = correlation({ type: 'value_sum', condition: '{field: n, gte: 1}' });
    assert.deepEqual(setup(sum).send(span('a', 1, { n: 5 })), []);
    const { send } = setup(correlation({}), correlation({ name: 'top', rules: '[c]', condition: '{gte: 1}' }));
    assert.deepEqual(send(span('a', 1), span('a', 2)), []);
  });

  test('where an hour of ids ends within the lateness the finding waits for its end', () => {
    const { send } = setup(correlation({}));
    const given = (...spans: readonly PlainSpan[]) => send(...spans).filter(({ count }) => count !== undefined);
    // 3600 s is 2600 s after the first second of these spans.
    assert.deepEqual(given(span('a', 2595), span('a', 2601)), []);
    assert.deepEqual(given(span('b', 2629)), []);
    assert.equal(given(span('b', 2630))[0]!.count, 2);
  });

  test('looking is bounded: what one batch does not reach the next does', () => {
    const { send } = setup(correlation({ condition: '{gte: 3}' }));
    const groups = Array.from({ length: 600 }, (_, index) => `g${index}`);
    const one = (at: number) =>
      groups.map((g, index) => span('a', at, { g, span_id: (at * 1000 + index).toString(16).padStart(16, '0') }));
    const early = [...send(...one(1), ...one(2)), ...send(...one(3)), ...send(), ...send()];
    assert.equal(early.filter(({ provisional }) => provisional).length, 600);
  });
});

describe('sources', () => {
  const from = (service: string, at: number) => span('a', at, { 'service.name': service, g: service });

  test('a clock that is ahead makes no other source late', () => {
    const { send, detector } = setup(correlation({}));
    send(from('ahead', 1), from('here', 1));
    send(from('ahead', 25_000));
    for (let at = 2; at < 40; at++) send(from('here', at));
    assert.equal(detector.correlationStats().late, 0);
    assert.equal(detector.correlationStats().sources, 2);
  });

  test('a slow sender is waited for, one that is far behind is not', () => {
    const { sendAt, detector } = setup(correlation({}));
    const now = (at: number) => BigInt(1000 + at) * second;
    const late = (behind: number) => {
      const before = detector.correlationStats().late;
      for (let at = 0; at < 60; at++) sendAt(now(at), from('here', at), from(`slow ${behind}`, at - behind));
      return detector.correlationStats().late - before;
    };
    assert.equal(late(100), 0);
    assert.ok(late(400) > 30);
  });

  test('a source that fell silent holds nobody back for long', () => {
    const { send } = setup(correlation({ condition: '{lt: 3}' }));
    send(from('silent', 1));
    const given: Finding[] = [];
    for (let at = 1; at < 100; at++) given.push(...send(from('here', at)));
    assert.ok(given.some(({ groupKey }) => groupKey.includes('silent')));
  });

  test('more instances than there is room for share a place', () => {
    const { send, detector } = setup(correlation({}));
    for (let each = 0; each < 1100; each++) {
      send(from(`service ${each}`, 1));
    }
    assert.equal(detector.correlationStats().sources, limits.sourcesMax);
  });
});

describe('one span, one rule', () => {
  const both = { tool: ['a', 'b'] };
  const temporal = (type: string, rules = '[a, b]') =>
    setup(correlation({ type, rules, condition: `{gte: ${rules.split(',').length}}` }));

  test('a span that matches two rules stands for one of them', () => {
    assert.equal(temporal('temporal').all(span('a', 1, both)).length, 0);
    assert.equal(temporal('temporal').all(span('a', 1, both), span('a', 2)).length, 1);
    assert.equal(temporal('temporal_ordered').all(span('a', 1, both)).length, 0);
    assert.equal(temporal('temporal_ordered').all(span('a', 1, both), span('a', 2)).length, 0);
    assert.equal(temporal('temporal_ordered').all(span('a', 1), span('a', 2, both)).length, 1);
    const counted = setup(correlation({ rules: '[a, b]' })).all(span('a', 1, both));
    assert.equal(counted.length, 0);
  });

  test('a rule listed twice needs two spans', () => {
    assert.equal(temporal('temporal_ordered', '[a, b, a]').all(span('a', 1), span('b', 2)).length, 0);
    assert.equal(temporal('temporal_ordered', '[a, b, a]').all(span('a', 1), span('b', 2), span('a', 3)).length, 1);
    assert.equal(temporal('temporal_ordered', '[a, a]').all(span('a', 1)).length, 0);
  });

  test('at the same time any order will do', () => {
    assert.equal(temporal('temporal_ordered', '[b, a]').all(span('a', 1), span('b', 1)).length, 1);
    assert.equal(temporal('temporal_ordered', '[b, a]').all(span('a', 1), span('b', 2)).length, 0);
  });
});

describe('values', () => {
  const values = (condition: string, type: string) => setup(correlation({ type, condition }));

  test('a list of fields counts tuples, all parts present', () => {
    const { all } = values('{field: [p, q], gte: 3}', 'value_count');
    const same = [span('a', 1, { p: 'x', q: 1 }), span('a', 2, { p: 'x', q: 1 }), span('a', 3, { p: 'x' })];
    assert.equal(all(...same, span('a', 4, { p: 'y', q: 1 })).length, 0);
    assert.equal(all(...same, span('a', 4, { p: 'y', q: 1 }), span('a', 5, { p: 'X', q: 1 })).length, 1);
  });

  test('what is no number is not measured', () => {
    const { all } = values('{field: n, gte: 0.3}', 'value_sum');
    const [finding] = all(span('a', 1, { n: 'many' }), span('a', 2, { n: 0.1 }), span('a', 3, { n: ['0.1', 0.1] }));
    assert.deepEqual([finding!.count, finding!.evidence[0]!.wanted], [2, '≥ 0.3 in 10s']);
    assert.equal(all(span('a', 1)).length, 0);
  });
});

describe('correlations of correlations', () => {
  const low = correlation({ name: 'low', groupBy: '[g, h]' });

  test('a parent sees each episode of a child once, with its group', () => {
    const { all } = setup(low, correlation({ name: 'top', rules: '[low]', groupBy: '[g]' }));
    const findings = all(
      ...[1, 2, 3, 4].map((at) => span('a', at, { h: 'p' })),
      span('b', 3, { h: 'q' }),
      ...[5, 6].map((at) => span('a', at, { h: 'q' })),
    );
    assert.deepEqual(
      findings.map(({ ruleId, groupKey, count, spanId: at }) => [ruleId, groupKey, count, at]),
      [['top', '{"g":"x"}', 2, spanId('a', 6)]],
    );
  });

  test('with generate the child speaks too', () => {
    const top = correlation({
      name: 'top',
      rules: '[low]',
      groupBy: '[g]',
      condition: '{gte: 1}',
      more: '  generate: true\n',
    });
    const findings = setup(low, top).all(span('a', 1, { h: 'p' }), span('a', 2, { h: 'p' }));
    assert.deepEqual(findings.map(({ ruleId }) => ruleId).sort(), ['low', 'top']);
  });

  test('what is decided when a window closes happens at that moment', () => {
    const few = correlation({ name: 'few', rules: '[a]', condition: '{lt: 3}' });
    const order = (rules: string) => correlation({ name: 'top', type: 'temporal_ordered', rules });
    // The window of the span at 1 is [1000 s, 1010 s).
    assert.equal(setup(few, order('[b, few]')).all(span('a', 1), span('b', 9)).length, 1);
    assert.equal(setup(few, order('[few, b]')).all(span('a', 1), span('b', 9)).length, 0);
    assert.equal(setup(few, order('[few, b]')).all(span('a', 1), span('b', 10)).length, 1);
  });

  test('any order, batching and restart gives the same findings through chains', () => {
    const documents = [
      low,
      correlation({ name: 'few', rules: '[b]', condition: '{lte: 2}' }),
      correlation({ name: 'top', type: 'temporal', rules: '[low, few, b]', more: '  generate: true\n' }),
    ];
    const one = fc.record({
      tool: fc.constantFrom('a', 'b'),
      at: fc.integer({ min: 0, max: 40 }),
      g: fc.constantFrom('x', 'y'),
      h: fc.constantFrom('p', 'q'),
    });
    const newest = new Map<string, Finding>();
    fc.assert(
      fc.property(
        fc.array(one, { maxLength: 30 }),
        fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 30, maxLength: 30 }),
        fc.integer({ min: 1, max: 7 }),
        (made, delays, size) => {
          const spans = made.map(({ tool, at, g, h }, index) => ({
            at,
            span: span(tool, at, { g, h, span_id: spanId(tool, 100 + index) }),
          }));
          const expected = setup(...documents).all(...spans.map((each) => each.span));
          const arrived = [...spans.entries()].sort(([a, x], [b, y]) => x.at + delays[a]! - y.at - delays[b]!);
          newest.clear();
          let { send, detector } = setup(...documents);
          const keep = (findings: readonly Finding[]) => {
            for (const finding of findings) if (finding.count !== undefined) newest.set(finding.id, finding);
          };
          for (let from = 0; from < arrived.length; from += size) {
            keep(send(...arrived.slice(from, from + size).map(([, each]) => each.span)));
            const snapshot = detector.snapshot();
            ({ send, detector } = setup(...documents));
            assert.deepEqual(detector.restore(snapshot), { status: 'restored', rules: 3 });
          }
          keep(detector.flush());
          const byId = (a: Finding, b: Finding) => (a.id < b.id ? -1 : 1);
          assert.deepEqual([...newest.values()].sort(byId), expected.sort(byId));
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('bounds', () => {
  function bounded(bounds: Parameters<typeof createCorrelating>[3], options: Options = {}) {
    const fields = createFieldTable();
    const { rules, correlations } = loadRules([{ path: 'r.yml', text: `${base('a')}---\n${correlation(options)}` }]);
    const correlating = createCorrelating(correlations, fields, 0n, bounds);
    let turn = 0;
    return {
      correlating,
      add: (at: number, more: Readonly<Record<string, Value>> = {}) => {
        const events = plainEvents([span('a', at, more)], (id) => fields.name(id));
        correlating.add({ events, span: 0, turn: turn++ }, rules);
        correlating.observe(events, undefined);
      },
    };
  }

  test('the stalest group gives way, of a rule and of all', () => {
    for (const bounds of [{ groupsMax: 2 }, { allGroupsMax: 2 }, { allEventsMax: 2 }]) {
      const { correlating, add } = bounded(bounds);
      for (const [at, g] of [
        [1, 'x'],
        [2, 'y'],
        [3, 'z'],
        [4, 'x'],
        [5, 'z'],
      ] as const)
        add(at, { g });
      const findings = correlating.flush();
      const keys = findings.map(({ groupKey }) => groupKey);
      assert.deepEqual(keys, ['{"g":"z"}'], JSON.stringify(bounds));
      assert.ok(correlating.stats().rules[0]!.evictedGroups >= 2);
    }
  });

  test('a group forgets its oldest events and says so', () => {
    const { correlating, add } = bounded({ eventsPerGroupMax: 3 }, { condition: '{gte: 3}' });
    for (let at = 0; at < 6; at++) add(at);
    const [finding] = correlating.flush();
    assert.deepEqual([finding!.count, finding!.evidence[0]!.excerpt], [6, 'of the newest events: 3']);
    assert.equal(correlating.stats().rules[0]!.droppedEvents, 3);
  });

  test('above the cap distinct values are estimated, and the finding says so', () => {
    const options = { type: 'value_count', condition: '{field: v, gte: 20}' };
    const { correlating, add } = bounded({ eventsPerGroupMax: 10 }, options);
    for (let each = 0; each < 40; each++) add(0, { v: `value ${each % 30}`, span_id: spanId('a', each) });
    const [finding] = correlating.flush();
    const about = /^about (\d+)$/.exec(finding!.evidence[0]!.excerpt);
    assert.ok(about && Math.abs(Number(about[1]) - 30) <= 1, finding!.evidence[0]!.excerpt);
  });

  test('too many waiting events are evaluated before their time', () => {
    const { correlating, add } = bounded({ bufferEventsMax: 2 });
    for (let each = 0; each < 5; each++) add(5, { span_id: spanId('a', each) });
    correlating.settle();
    assert.equal(correlating.stats().waiting, 2);
    assert.ok(correlating.stats().hurried > 0);
  });
});

describe('snapshots', () => {
  test('state of a changed rule is left behind, unreadable bytes change nothing', () => {
    const { send, detector } = setup(correlation({}));
    send(span('a', 1));
    const snapshot = detector.snapshot();
    const changed = setup(correlation({ condition: '{gte: 1}' })).detector;
    assert.deepEqual(changed.restore(snapshot), { status: 'restored', rules: 0 });
    assert.deepEqual(changed.flush(), []);
    for (const bytes of ['', '{', '{}', '[]', 'null', '{"shared":[],"body":{"format":2,"rules":[]}}']) {
      assert.deepEqual(detector.restore(Buffer.from(bytes)), { status: 'unreadable' });
    }
    assert.deepEqual(detector.snapshot(), snapshot);
  });
});
