import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createDetector } from '../detect/engine.ts';
import { loadRules } from '../detect/load.ts';
import { createCaseRunner, runRuleTests, type TestSpan } from '../detect/rule-tests.ts';
import { createFieldTable } from '../model/fields.ts';
import type { Value } from '../model/value.ts';
import { createTestEvents, createTestRun } from './rule-test-events.ts';

const tool: Readonly<Record<string, Value>> = { 'gen_ai.operation.name': 'execute_tool' };

function matches(item: string, attributes: Readonly<Record<string, Value>>): boolean {
  const fields = createFieldTable();
  const text = `title: t\nid: t\nlogsource: {product: ai_agent}\ndetection:\n  s:\n    ${item}\n  condition: s\n`;
  const detector = createDetector({ ...loadRules([{ path: 'r.yml', text }]), fields });
  const span: TestSpan = {
    name: 'a span',
    kind: 3,
    statusCode: 2,
    durationMs: 1.5,
    endNanos: 0n,
    attributes: { ...tool, ...attributes },
    resource: { zone: 'eu' },
  };
  return detector.detect(createTestEvents(fields)([span])).length === 1;
}

test('`a.b` where `a` is a map: flat name first, then the path', () => {
  assert.equal(matches('a.b.c: x', { 'a.b.c': 'x' }), true);
  assert.equal(matches('a.b.c: x', { a: { b: { c: 'x' } } }), true);
  assert.equal(matches('a.b.c: x', { 'a.b': { c: 'x' } }), true);
  assert.equal(matches('a.b.c: x', { 'a.b.c': 'y', a: { b: { c: 'x' } } }), false);
  assert.equal(matches('a.b: x', { a: '{"b":"x"}' }), false);
});

test('values of every type, properties of the span and its resource arrive', () => {
  assert.equal(matches('n: 9007199254740993', { n: 9007199254740993n }), true);
  assert.equal(matches('n: 9007199254740992', { n: 9007199254740993n }), false);
  assert.equal(matches('n: 0.5', { n: 0.5 }), true);
  assert.equal(matches('n: true', { n: true }), true);
  assert.equal(matches('n: b', { n: ['a', 'b'] }), true);
  assert.equal(matches('n|exists: true', { n: null }), true);
  assert.equal(matches('n: null', { n: null }), true);
  assert.equal(matches('span.kind: client', {}), true);
  assert.equal(matches('span.status_code: error', {}), true);
  assert.equal(matches('span.duration_ms: 1.5', {}), true);
  assert.equal(matches('span.start_time|year: 2026', {}), true);
  assert.equal(matches('resource.zone: eu', {}), true);
});

test('the example in docs/writing-rules.md holds its tests', () => {
  const page = readFileSync(new URL('../../../docs/writing-rules.md', import.meta.url), 'utf8');
  const blocks = [...page.matchAll(/```yaml\n(.*?)```/gs)].map((match) => match[1]!);
  const [rule = ''] = blocks;
  const tests = blocks.find((block) => block.startsWith('matches:')) ?? '';
  const fields = createFieldTable();
  const run = runRuleTests({
    ...loadRules([{ path: 'r.yml', text: rule }]),
    tests: [{ path: 'r.test.yml', text: tests }],
    fields,
    eventsFrom: createTestEvents(fields),
  });
  assert.deepEqual(run.problems, []);
  assert.deepEqual(
    run.results.map(({ status }) => status),
    ['passed', 'passed', 'passed'],
  );
});

test('a tool call that only messages tell is one for tests of rules, and its views together are one', () => {
  const text = `title: Shell
name: shell
logsource: {product: ai_agent, category: tool}
detection: {s: {gen_ai.tool.name: bash}, condition: s}
---
title: Calls
correlation: {type: event_count, rules: [shell], group-by: [service.name], timespan: 1h, condition: {gte: 1}}
`;
  const { correlations } = loadRules([{ path: 'r.yml', text }]);
  const span = (seconds: number, attributes: Readonly<Record<string, Value>>): TestSpan => ({
    ...{ name: 'a span', kind: 1, statusCode: 0, durationMs: 1, resource: { 'service.name': 'shop' } },
    endNanos: BigInt(seconds) * 1_000_000_000n,
    attributes,
  });
  const call = { type: 'tool_call', id: 'c1', name: 'bash', arguments: { command: 'ls' } };
  const answer = { type: 'tool_call_response', id: 'c1', response: 'done' };
  const executed = span(1, { ...tool, 'gen_ai.tool.name': 'bash', 'gen_ai.tool.call.id': 'c1' });
  const answered = span(5, {
    'gen_ai.operation.name': 'chat',
    'gen_ai.input.messages': JSON.stringify([
      { role: 'assistant', parts: [call] },
      { role: 'tool', parts: [answer] },
    ]),
  });
  const run = createCaseRunner(createTestRun(createFieldTable()));
  for (const spans of [[executed], [answered], [executed, answered]]) {
    assert.deepEqual(run(correlations[0]!, spans).at(-1)?.count, 1, `${spans.length} spans`);
  }
});
