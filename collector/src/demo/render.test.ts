import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTerminal } from '../cli/terminal.ts';
import type { Finding } from '../model/finding.ts';
import { byLevelThenTime, createLiveTree, findingLines, type ShownSpan, treeLines } from './render.ts';

const root = span('1', '', 'invoke_agent support', 0, 1200);
const chat = span('2', '1', 'chat gullible-1', 1, 150, 'asks for payments_refund');
const call = span('3', '1', 'tools/call payments.refund', 200, 3, 'order_id=A-1038 amount=1849');
const inner = span('4', '3', 'tools/call payments.refund', 201, 2);

test('draws parents above children in order of time, whatever the order of arrival', () => {
  const { terminal } = plainTerminal();
  assert.deepEqual(treeLines([inner, call, chat, root], [], terminal), [
    'invoke_agent support                  1.20 s',
    '├─ chat gullible-1                    150 ms  asks for payments_refund',
    '└─ tools/call payments.refund         3.0 ms  order_id=A-1038 amount=1849',
    '   └─ tools/call payments.refund      2.0 ms',
  ]);
});

test('dots hold the place of a parent that has not arrived', () => {
  const { terminal } = plainTerminal();
  assert.deepEqual(
    treeLines([inner, chat, call], [], terminal).map((line) => line.replace(/ {2,}[0-9].*/, '')),
    ['…', '├─ chat gullible-1', '└─ tools/call payments.refund', '   └─ tools/call payments.refund'],
  );
});

test('a span that names itself as parent, or a cycle, does not hang the tree', () => {
  const { terminal } = plainTerminal();
  assert.equal(treeLines([span('7', '7', 'self', 0, 1)], [], terminal).length, 1);
  treeLines([span('8', '9', 'a', 0, 1), span('9', '8', 'b', 0, 1)], [], terminal);
  treeLines([span('8', '', 'a', 0, 1), span('9', '8', 'b', 0, 1), span('8', '9', 'c', 0, 1)], [], terminal);
});

test('marks the span with the worst level found on it', () => {
  const { terminal } = plainTerminal();
  const [, , line] = treeLines([root, chat, call], [finding('low', '3'), finding('high', '3')], terminal);
  assert.match(line!, /▲ high {2}order_id=/);
});

test('keeps every line within the terminal and escapes what spans bring along', () => {
  const { terminal } = plainTerminal(60);
  const hostile = span('5', '', `x\u001b[2J${'n'.repeat(90)}`, 0, 1, `y\n${'d'.repeat(200)}`);
  const [line] = treeLines([hostile], [finding('high', '5')], terminal);
  assert.ok(line!.length <= 60, String(line!.length));
  assert.ok(!line!.includes('\u001b') && !line!.includes('\n'));
});

test('a finding says level, title, reason, evidence, agent, trace and rule', () => {
  const { terminal } = plainTerminal();
  const text = findingLines(finding('high', '3'), 1, terminal).join('\n');
  for (const part of [
    'HIGH',
    'Refund by a ticket',
    'Because it is so.',
    'spanwarden.text.tool_result: …do ⏎ a refund…',
    'support',
  ]) {
    assert.ok(text.includes(part), part);
  }
  assert.match(text, /trace {5}a{32} {2}span 3/);
  assert.match(text, /rule {6}rule-1 · owasp\.asi01/);
});

test('a finding is broken into lines that fit', () => {
  const { terminal } = plainTerminal(60);
  const long = { ...finding('high', '3'), reason: 'word '.repeat(60).trim() };
  for (const line of findingLines(long, 1, terminal)) assert.ok(line.length <= 60, line);
});

test('findings are sorted strongest first, then by time', () => {
  const list = [finding('low', '1', 1n), finding('high', '2', 5n), finding('high', '3', 4n)];
  assert.deepEqual(
    list.sort(byLevelThenTime).map((item) => item.spanId),
    ['3', '2', '1'],
  );
});

test('a pipe gets the tree once, a terminal gets it drawn over', () => {
  const pipe = plainTerminal();
  const live = createLiveTree(pipe.terminal, 50);
  live.update([chat], []);
  live.update([chat, root], []);
  assert.equal(pipe.written(), '');
  live.finish();
  assert.equal(pipe.written().split('\n').length, 3);

  const tty = plainTerminal(100, true);
  const drawn = createLiveTree(tty.terminal, 50);
  drawn.update([chat], []);
  drawn.update([chat, root], []);
  assert.ok(tty.written().includes('\u001b[2A\u001b[J'));
});

function plainTerminal(columns = 100, isTTY = false) {
  const parts: string[] = [];
  const stream = { write: (part: string) => parts.push(part), columns, isTTY };
  return { terminal: createTerminal(stream, { NO_COLOR: '1' }), written: () => parts.join('') };
}

function span(id: string, parent: string, name: string, startMs: number, durationMs: number, detail = ''): ShownSpan {
  const startNanos = BigInt(startMs) * 1_000_000n;
  return { traceId: 't', spanId: id, parentSpanId: parent, name, detail, startNanos, durationMs, failed: false };
}

function finding(level: Finding['level'], spanId: string, timeNanos = 0n): Finding {
  return {
    id: spanId,
    timeNanos,
    ruleId: 'rule-1',
    ruleTitle: 'Refund by a ticket',
    ruleVersion: 'v',
    level,
    response: 'alert',
    tags: ['owasp.asi01'],
    reason: 'Because it is so.',
    groupKey: '',
    traceId: 'a'.repeat(32),
    spanId,
    spanName: 'chat',
    serviceName: 'support',
    agentName: 'support',
    conversationId: '',
    userId: '',
    toolName: '',
    evidence: [
      { selection: 's', field: 'spanwarden.text.tool_result', wanted: 'contains "refund"', excerpt: '…do\\na refund…' },
    ],
  };
}
