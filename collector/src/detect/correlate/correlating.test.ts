import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createFieldTable } from '../../model/fields.ts';
import type { Finding } from '../../model/finding.ts';
import type { Value } from '../../model/value.ts';
import { loadRules } from '../load.ts';
import { base, correlation, type Options, second, setup, span, spanId } from '../testing/correlating-setup.ts';
import { type PlainSpan, plainEvents } from '../testing/plain-events.ts';
import { createCorrelating } from './correlating.ts';
import { evidenceSpanIds } from './findings.ts';

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
