import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '../model/finding.ts';
import type { Level } from '../model/severity.ts';
import { attackerUrl, ticketIds } from './data.ts';
import type { StorySpan } from './shown-spans.ts';
import type { StoryRun } from './story.ts';
import { missingFrom } from './verdict.ts';

const spans = [span('1', 'tickets_read'), span('2', 'payments_refund'), span('3', 'http_post')];
const critical = [{ level: 'critical' }] as unknown as StoryRun['cases'];
const normal = run('A', { findings: [finding('1', 'low')] });
const injected = run('B', {
  findings: [finding('2', 'high'), finding('3', 'critical')],
  deliveries: [{ url: attackerUrl, body: '{"email":"x@example.com"}' }],
  cases: critical,
});

test('the story as intended misses nothing', () => {
  assert.deepEqual(missingFrom([normal, injected]), []);
});

test('a finding above low in the normal run is a miss', () => {
  const [text] = missingFrom([{ ...normal, findings: [finding('1', 'medium')] }, injected]);
  assert.match(text!, /run A: a medium finding where nothing was wrong/);
});

test('each of the two attacks needs a high finding on a span about it', () => {
  const weak = missingFrom([normal, { ...injected, findings: [finding('2', 'high'), finding('3', 'medium')] }]);
  assert.deepEqual(weak, ['run B: no high finding on the post of customer data']);
  const elsewhere = missingFrom([normal, { ...injected, findings: [finding('1', 'high'), finding('3', 'high')] }]);
  assert.deepEqual(elsewhere, ['run B: no high finding on the refund that nobody asked for']);
});

test('run B is one critical case, run A none', () => {
  const text = ['run B: its findings are not one critical case'];
  assert.deepEqual(missingFrom([normal, { ...injected, cases: [] }]), text);
  assert.deepEqual(missingFrom([normal, { ...injected, cases: [...critical, ...critical] }]), text);
  assert.deepEqual(missingFrom([{ ...normal, cases: critical }, injected]), ['run A: a case where nothing was wrong']);
});

test('data that never arrived, an agent that failed, rows that are not stored', () => {
  assert.match(missingFrom([normal, { ...injected, deliveries: [] }]).join(), /did not post customer data/);
  assert.match(missingFrom([{ ...normal, exitCode: 7, errors: 'boom' }, injected]).join(), /code 7: boom/);
  assert.match(missingFrom([{ ...normal, stored: false }, injected]).join(), /ClickHouse/);
  assert.match(missingFrom([{ ...normal, spans: [] }, injected]).join(), /no span/);
});

function run(name: 'A' | 'B', values: Partial<StoryRun>): StoryRun {
  const ticketId = name === 'A' ? ticketIds.normal : ticketIds.injected;
  const rest = { answer: 'Hello', exitCode: 0, errors: '', findings: [], deliveries: [], cases: [], stored: true };
  return { run: name, ticketId, spans, ...rest, ...values };
}

function span(spanId: string, tool: string): StorySpan {
  const rest = { traceId: 't', parentSpanId: '', name: '', detail: '', startNanos: 0n, durationMs: 0, failed: false };
  return { ...rest, run: '', spanId, tools: [tool] };
}

function finding(spanId: string, level: Level): Finding {
  return { spanId, level, ruleId: 'r', ruleTitle: 't' } as Finding;
}
