import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { createFieldTable } from '../model/fields.ts';
import { limits } from '../model/limits.ts';
import { Category } from '../model/span-events.ts';
import { createDetector } from './engine.ts';
import { loadRules } from './load.ts';
import { findingsOf, plainEvents, ruleWith } from './testing/plain-events.ts';

const id = '6f2f2a54-7ed9-4d3f-a8d8-6f1f6d9f2b10';
const simple = 's:\n  f: x\ncondition: s';

describe('findings', () => {
  test('say which rule, which span, when and who', () => {
    const more =
      'level: high\nresponse: approve\ntags: [owasp.asi01]\ndescription: >-\n  One  sentence. And another.\n';
    const fields = {
      f: 'x',
      'gen_ai.tool.name': 'pay',
      'gen_ai.agent.name': 'shop',
      'user.id': 'u1',
      'service.name': 's',
    };
    const [finding] = findingsOf(ruleWith(simple, more), [{ fields, endNanos: 77n }]);
    const { evidence: _, ruleVersion, ...rest } = finding!;
    assert.match(ruleVersion, /^[0-9a-f]{12}$/);
    assert.deepEqual(rest, {
      id: createHash('sha256')
        .update(`${id}\0\0${'aa'.repeat(16)}0000000000000001`)
        .digest('hex')
        .slice(0, 32),
      timeNanos: 77n,
      ruleId: id,
      ruleTitle: 'A rule',
      level: 'high',
      response: 'approve',
      tags: ['owasp.asi01'],
      reason: 'One sentence.',
      groupKey: '',
      traceId: 'aa'.repeat(16),
      spanId: '0000000000000001',
      spanName: 'a span',
      serviceName: 's',
      agentName: 'shop',
      conversationId: '',
      userId: 'u1',
      toolName: 'pay',
    });
  });

  test('have the same id whatever else is in the batch', () => {
    const span = { fields: { f: 'x', span_id: '00000000000000ff' } };
    const alone = findingsOf(ruleWith(simple), [span]);
    const among = findingsOf(
      [ruleWith(simple), ruleWith('s:\n  f: y\ncondition: s').replace(id, 'other')],
      [{ fields: {} }, span],
    );
    assert.deepEqual(
      alone.map((each) => each.id),
      among.map((each) => each.id),
    );
  });

  test('the version changes with the content, not with comments and order', () => {
    const version = (text: string) => loadRules([{ path: 'r.yml', text }]).rules[0]!.meta.version;
    const rule = ruleWith(simple);
    assert.equal(version(rule), version(`# note\n${rule.replace(/(title.*\n)(id.*\n)/, '$2$1')}`));
    assert.notEqual(version(rule), version(rule.replace('f: x', 'f: y')));
  });
});

describe('routing', () => {
  const ruleFor = (category: string) =>
    ruleWith(simple).replace('category: tool', `category: ${category}`).replace(id, category);
  const rules = ['tool', 'mcp', 'any', 'llm'].map(ruleFor);
  const run = (categories: number) =>
    findingsOf(rules, [{ fields: { f: 'x' }, categories }]).map(({ ruleId }) => ruleId);

  test('a span meets the rules of all its categories', () => {
    assert.deepEqual(run(Category.tool | Category.mcp), ['tool', 'mcp', 'any']);
    assert.deepEqual(run(Category.llm), ['any', 'llm']);
    assert.deepEqual(run(Category.file), ['any']);
    assert.deepEqual(run(0), []);
  });

  test('a logsource without category or product is no conflict', () => {
    assert.equal(findingsOf(ruleWith(simple).replace(', category: tool', ''), [{ fields: { f: 'x' } }]).length, 1);
    assert.equal(findingsOf(ruleWith(simple).replace('product: ai_agent, ', ''), [{ fields: { f: 'x' } }]).length, 1);
  });
});

describe('the detector', () => {
  test('counts spans and matches per rule', () => {
    const fields = createFieldTable();
    const detector = createDetector({ ...loadRules([{ path: 'r.yml', text: ruleWith(simple) }]), fields });
    const spans = [{ fields: { f: 'x' } }, { fields: {} }, { fields: { f: 'x' }, categories: Category.llm }];
    for (let batch = 0; batch < 2; batch++) detector.detect(plainEvents(spans, (field) => fields.name(field)));
    assert.deepEqual(detector.ruleStats(), [{ ruleId: id, spans: 4, matches: 2 }]);
  });

  test('forgets the values of a span with the next one', () => {
    assert.deepEqual(
      findingsOf(ruleWith('s:\n  f: x\nt:\n  f: y\ncondition: s or t'), [
        { fields: { f: 'x' } },
        { fields: {} },
        { fields: { f: 'y' } },
      ]).map(({ spanId }) => Number(spanId)),
      [1, 3],
    );
  });

  test('drops and counts findings over the bound of one span', () => {
    const fields = createFieldTable();
    const many = limits.findingsPerSpanMax + 3;
    const sources = Array.from({ length: many }, (_, i) => ({
      path: `${i}.yml`,
      text: ruleWith(simple).replace(id, `rule-${i}`),
    }));
    const detector = createDetector({ ...loadRules(sources), fields });
    const found = detector.detect(plainEvents([{ fields: { f: 'x' } }], (field) => fields.name(field)));
    assert.equal(found.length, limits.findingsPerSpanMax);
    assert.equal(detector.findingsDropped, 3);
  });

  test('looks at a bounded number of array members', () => {
    const f = Array.from({ length: limits.fieldMembersMax + 1 }, (_, i) => `m${i}`);
    const last = ruleWith(`s:\n  f: m${limits.fieldMembersMax}\ncondition: s`);
    assert.equal(findingsOf(last, [{ fields: { f } }]).length, 0);
    assert.equal(findingsOf(last.replace(/m\d+/, `m${limits.fieldMembersMax - 1}`), [{ fields: { f } }]).length, 1);
  });
});

test('a rule that is asked for the first time long after others finds all of its texts', () => {
  const second = ruleWith('s:\n  f|contains|all: [seldom word, often]\nt:\n  g|fieldref: h\ncondition: s and t');
  const fields = createFieldTable();
  const sources = [ruleWith(simple), second.replace(id, '6f2f2a54-7ed9-4d3f-a8d8-6f1f6d9f2b11')];
  const { rules } = loadRules(sources.map((text, i) => ({ path: `${i}.yml`, text })));
  const detector = createDetector({ rules, fields });
  const found = (span: Record<string, string>) =>
    detector
      .detect(plainEvents([{ fields: span }], (field) => fields.name(field)))
      .map(({ ruleId }) => ruleId.slice(-1));
  assert.deepEqual(found({ f: 'x' }), ['0']);
  assert.deepEqual(found({ f: 'a seldom word', g: 'y', h: 'y' }), []);
  assert.deepEqual(found({ f: 'often a seldom word', g: 'y', h: 'y' }), ['1']);
  assert.deepEqual(
    detector.ruleStats().map(({ matches }) => matches),
    [1, 1],
  );
});
