import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createFieldTable } from '../../model/fields.ts';
import type { Value } from '../../model/value.ts';
import { createDetector, type DetectorOptions } from '../engine.ts';
import { lintRules } from '../lint.ts';
import { loadRules, readRules } from '../load.ts';
import { type PlainSpan, plainEvents } from '../testing/plain-events.ts';

const second = 1_000_000_000n;

const below = `title: below a
name: below_a
logsource: {product: ai_agent, category: tool}
detection: {s: {tool: x, parent.agent: a}, condition: s}
`;
const other = `title: other
name: other
logsource: {product: ai_agent, category: tool}
detection: {s: {tool: [x, z]}, condition: s}
`;
const correlation = (type: string, rules: string, more = '') => `title: c
name: c
correlation:
  type: ${type}
  rules: [${rules}]
  group-by: [g]
  timespan: 60s
${more}`;

function detectorOf(documents: readonly string[], more: Partial<DetectorOptions> = {}) {
  const fields = createFieldTable();
  const set = loadRules([{ path: 'r.yml', text: documents.join('---\n') }]);
  const detector = createDetector({ ...set, fields, ...more });
  const events = (spans: readonly PlainSpan[]) => plainEvents(spans, (id) => fields.name(id));
  return {
    detector,
    send: (...spans: readonly PlainSpan[]) => detector.detect(events(spans)),
    /** The last state of every finding. */
    all: (...spans: readonly PlainSpan[]) => {
      const findings = [...detector.detect(events(spans)), ...detector.flush()];
      return [...new Map(findings.map((finding) => [finding.id, finding])).values()];
    },
  };
}

function span(id: string, parent: string, atSeconds: number, fields: Readonly<Record<string, Value>> = {}): PlainSpan {
  const long = (text: string) => text.padStart(16, '0');
  const ids = { span_id: long(id), ...(parent !== '' && { parent_span_id: long(parent) }) };
  return { fields: { ...ids, g: 'x', ...fields }, endNanos: BigInt(1000 + atSeconds) * second };
}

describe('in the detector', () => {
  test('the finding comes with the parent, of the child, and counts for its rule', () => {
    const { detector, send } = detectorOf([below]);
    assert.deepEqual(send(span('c', 'p', 1, { tool: 'x', 'gen_ai.agent.name': 'inner' })), []);
    const [finding] = send(span('p', '', 2, { agent: 'a' }));
    assert.deepEqual(
      [finding!.spanId, finding!.agentName, finding!.timeNanos],
      ['c'.padStart(16, '0'), 'inner', 1001n * second],
    );
    assert.deepEqual(
      detector.ruleStats().map(({ matches }) => matches),
      [1],
    );
    assert.equal(detector.newestNanos, 1002n * second);
  });

  test('silence decides as well, and a filter may reach too', () => {
    const filter =
      'title: f\nlogsource: {product: ai_agent, category: tool}\nfilter:\n  rules: [other]\n' +
      '  s: {root.agent: trusted}\n  condition: not s\n';
    const { detector, send } = detectorOf([other, filter], { traceWaitNanos: 100n * second });
    assert.deepEqual(send(span('c', 'p', 1, { tool: 'z' }), span('d', 'q', 1, { tool: 'z' })), []);
    assert.deepEqual(send(span('q', '', 2, { agent: 'trusted' })), []);
    assert.deepEqual(detector.advance(1131n * second), []);
    assert.deepEqual(
      detector.advance(1132n * second).map(({ spanId }) => spanId),
      ['c'.padStart(16, '0')],
    );
    const suppressed = detector.takeHealth(0).stats.reduce((sum, row) => sum + row.suppressed, 0);
    assert.equal(suppressed, 1);
  });

  test('a rule that throws is disabled and costs nobody else', () => {
    const bomb = below.replace('tool: x', 'bomb: x').replace('below a', 'bomb').replace('below_a', 'bomb');
    const fields = createFieldTable();
    const set = loadRules([{ path: 'r.yml', text: `${bomb}---\n${below}` }]);
    const detector = createDetector({ ...set, fields, budget: { strikesMax: 2 } });
    const plain = plainEvents([span('p', '', 2, { agent: 'a' }), span('c', 'p', 1, { tool: 'x' })], fields.name);
    const events = {
      ...plain,
      value: (at: number, field: number) => {
        if (fields.name(field) === 'bomb') throw new Error('it went off');
        return plain.value(at, field);
      },
    };
    assert.equal(detector.detect(events).length, 1);
    assert.deepEqual(
      detector.disabledRules().map(({ ruleId }) => ruleId),
      ['bomb'],
    );
  });
});

describe('in correlations', () => {
  const spans = [
    span('c', 'p', 1, { tool: 'x' }),
    span('d', 'p', 2, { tool: 'x' }),
    span('e', 'q', 3, { tool: 'x' }),
    span('p', '', 40, { agent: 'a' }),
    span('q', '', 41, { agent: 'b' }),
  ];
  const orders = [
    [0, 1, 2, 3, 4],
    [3, 0, 4, 1, 2],
    [4, 3, 2, 1, 0],
  ];

  test('a match counts when it is certain, in any order of arrival', () => {
    const results = orders.map((order) => {
      const { all } = detectorOf([below, correlation('event_count', 'below_a', '  condition: {gte: 2}\n')]);
      return all(...order.map((at) => spans[at]!));
    });
    const [first, ...others] = results;
    assert.deepEqual(
      first!.map(({ count, lastSeenNanos }) => [count, lastSeenNanos]),
      [[2, 1040n * second]],
    );
    for (const result of others) assert.deepEqual(result, first);
  });

  test('one span that matches two rules at one moment brings both', () => {
    const parent = span('p', '', 1, { agent: 'a' });
    const child = span('c', 'p', 1, { tool: 'x' });
    const results = [
      [parent, child],
      [child, parent],
    ].map((order) => {
      const rules = correlation('event_count', 'below_a, other', '  condition: {gte: 1}\n');
      return detectorOf([below, other, rules]).all(...order);
    });
    assert.deepEqual(
      results[0]!.map(({ count }) => count),
      [1],
    );
    assert.deepEqual(results[1], results[0]);
  });

  test('a rule does not fold by fields of other spans', () => {
    const { errors } = readRules([{ path: 'r.yml', text: `${below}fold-by: [parent.agent]\n` }]);
    assert.deepEqual(
      errors.map(({ code, message }) => [code, message]),
      [['SW_RULE_FIELD', '`fold-by` cannot take `parent.agent`, which belongs to another span']],
    );
  });

  test('they do not group by fields of other spans', () => {
    const text = [below, correlation('event_count', 'below_a', '  condition: {gte: 2}\n').replace('[g]', '[root.g]')];
    const { errors } = readRules([{ path: 'r.yml', text: text.join('---\n') }]);
    assert.deepEqual(
      errors.map(({ code, message }) => [code, message]),
      [['SW_RULE_FIELD', 'a correlation cannot group or measure by `root.g`, which belongs to another span']],
    );
  });
});

describe('lint', () => {
  const problems = (field: string) => {
    const text = `title: t\nid: 6f2f2a54-7ed9-4d3f-a8d8-6f1f6d9f2b10\ndescription: d\ntags: [owasp.llm01]\nlogsource: {product: ai_agent, category: tool}\ndetection: {s: {${field}: a}, condition: s}\n`;
    const knownFields = [
      { name: 'gen_ai.agent.name' },
      { name: 'gen_ai.tool.name' },
      { name: 'spanwarden.effect.kinds' },
      { name: 'spanwarden.argument', open: true as const },
    ];
    const { errors, warnings } = lintRules([{ path: 'r.yml', text }], { knownFields });
    return [...errors, ...warnings].map(({ message, advice }) => [message, advice]);
  };

  test('knows the fields behind the reach', () => {
    assert.deepEqual(problems('parent.gen_ai.agent.name'), []);
    assert.deepEqual(problems('ancestor.spanwarden.argument.path'), []);
    assert.deepEqual(problems('parent.spanwarden.effect.kind'), [
      ['there is no field `parent.spanwarden.effect.kind`', 'Write `parent.spanwarden.effect.kinds`.'],
    ]);
    assert.deepEqual(problems('root.gen_ai.agent.nam'), [
      ['`root.gen_ai.agent.nam` is no field of the taxonomy', 'Write `root.gen_ai.agent.name`.'],
    ]);
  });

  test('says when a root is asked for what tool calls have', () => {
    assert.match(problems('root.gen_ai.tool.name')[0]![0]!, /the root of a trace is seldom one/);
  });

  test('offers a reach for one there is not', () => {
    assert.deepEqual(problems('ancestors.gen_ai.agent.name'), [
      ['`ancestors.gen_ai.agent.name` is no field', 'Write `ancestor.gen_ai.agent.name`.'],
    ]);
  });

  test('refuses a reach without a field, and a reach of a reach', () => {
    assert.match(problems('parent.')[0]![0]!, /`parent\.` names no field/);
    assert.match(problems('parent.parent.gen_ai.agent.name')[0]![0]!, /reaches twice/);
  });
});
