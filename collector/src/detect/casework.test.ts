import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TraceDecoder } from '../decode/trace-decoder.ts';
import type { Case } from '../model/case.ts';
import { createFieldTable } from '../model/fields.ts';
import type { Finding } from '../model/finding.ts';
import type { Value } from '../model/value.ts';
import { NormalisedEvents } from '../normalise/span-events.ts';
import { otlpProtobuf } from '../testing/otlp.ts';
import { type Casework, withCasework } from './casework.ts';
import { createDetector } from './engine.ts';
import { loadRules } from './load.ts';
import { type PlainSpan, plainEvents, ruleWith } from './testing/plain-events.ts';

const start = 1_800_000_000_000_000_000n;

function setup(more = ''): { readonly work: Casework; send(...spans: PlainSpan[]): Finding[] } {
  const fields = createFieldTable();
  const text = ruleWith('a: {tool: x}\ncondition: a', more);
  const rules = createDetector({ ...loadRules([{ path: 'r.yml', text }]), fields, journal: true });
  const work = withCasework(rules, { fields, journal: true });
  return { work, send: (...spans) => work.detect(plainEvents(spans, (id) => fields.name(id))) };
}

function span(milliseconds: number, more: Readonly<Record<string, Value>> = {}): PlainSpan {
  const endNanos = start + BigInt(milliseconds) * 1_000_000n;
  const fields = {
    tool: 'x',
    span_id: milliseconds.toString(16).padStart(16, '0'),
    'gen_ai.conversation.id': 'one-session',
  };
  return { fields: { ...fields, ...more }, startNanos: endNanos, endNanos };
}

test('matches become findings that count their repeats, and one case', () => {
  const { work, send } = setup();
  const [first, ...none] = send(span(1), span(2));
  assert.deepEqual(none, []);
  assert.equal(first?.count, 2);
  const [row] = work.takeCases();
  assert.deepEqual(row?.chainIds, [first?.chainId]);
  assert.deepEqual([row?.findings, row?.count], [1, 2]);
  assert.deepEqual(work.takeCases(), []);
  send(span(3));
  assert.deepEqual(
    work.advance(start + 5_000_000_000n).map(({ count }) => count),
    [3],
  );
  work.advance(start + 10_000_000_000n);
  assert.deepEqual(
    work.takeCases().map(({ count }) => count),
    [3],
  );
});

test('a rule says by fold-by what its repeats are', () => {
  const { send } = setup('fold-by: [user.id]\n');
  const other = { 'gen_ai.conversation.id': 'another-session', tool_name: 'y' };
  const findings = send(
    span(1, { 'user.id': 'u' }),
    span(2, { 'user.id': 'u', ...other }),
    span(3, { 'user.id': 'v' }),
  );
  assert.deepEqual(
    findings.map(({ count }) => count),
    [2, 1],
  );
});

test('after a restart it goes on where it was', () => {
  const { work, send } = setup();
  send(span(1));
  const [before] = work.takeCases();
  const checkpoint = work.snapshot();
  work.takeJournal();
  send(span(2));
  const journal = work.takeJournal();
  const next = setup();
  assert.equal(next.work.restore(checkpoint).status, 'restored');
  next.work.replay(journal);
  assert.deepEqual(next.work.takeCases(), [], 'what came of the journal was stored with it');
  assert.deepEqual(next.send(span(1), span(2)), [], 'both are counted already');
  next.send(span(3));
  assert.deepEqual(
    next.work.flush().map(({ count }) => count),
    [3],
  );
  const rows: readonly Case[] = next.work.takeCases();
  assert.equal(rows.at(-1)?.id, before?.id);
  assert.ok(rows.at(-1)!.version > before!.version);
});

test('while no rules are loaded it is not remembered which traces belong together', () => {
  const fields = createFieldTable();
  let areRulesLoaded = false;
  const rules = createDetector({ ...loadRules([]), fields, journal: true });
  const work = withCasework(rules, { fields, journal: true, areRulesLoaded: () => areRulesLoaded });
  const isRemembered = (conversation: string): boolean => {
    const attributes = { 'gen_ai.operation.name': 'chat', 'gen_ai.conversation.id': conversation };
    const decoded = new TraceDecoder(fields).decode(otlpProtobuf([{ name: 'chat', attributes }]));
    assert.equal(decoded.status, 'ok');
    work.detect(new NormalisedEvents(fields).bind(decoded.batch));
    return Buffer.from(work.takeJournal()).includes(conversation);
  };
  assert.equal(isRemembered('conversation-1'), false);
  areRulesLoaded = true;
  assert.equal(isRemembered('conversation-2'), true);
});
