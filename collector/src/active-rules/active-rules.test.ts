import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pino } from 'pino';
import type { Detector } from '../detect/engine.ts';
import { loadRules } from '../detect/load.ts';
import { type PlainSpan, plainEvents, ruleWith } from '../detect/testing/plain-events.ts';
import { createFieldTable } from '../model/fields.ts';
import { ActiveRules } from './active-rules.ts';

const base = ruleWith('s:\n  a: x\ncondition: s', 'name: base\n');
const baseId = '6f2f2a54-7ed9-4d3f-a8d8-6f1f6d9f2b10';
const other = base.replace('6f2f2a54', '7f2f2a54').replace('name: base', 'name: other').replace('a: x', 'a: z');
const counts = (gte: number) =>
  `title: Many\nid: many\ncorrelation:\n  type: event_count\n  rules: [base]\n  group-by: [g]\n  timespan: 1h\n  condition: {gte: ${gte}}\n`;
const second = 1_000_000_000n;

function rulesOf(...texts: string[]) {
  const fields = createFieldTable();
  const files = { texts };
  const lines: string[] = [];
  const rules = new ActiveRules({
    load: () => loadRules(files.texts.map((text, index) => ({ path: `${index}.yml`, text }))),
    detector: { fields, allowedLatenessNanos: 0n },
    budget: () => ({ strikesMax: 1, spanMs: 1, sampleEvery: 1_000_000 }),
    logger: pino({ level: 'info' }, { write: (line: string) => void lines.push(line) }),
    now: () => Date.UTC(2027, 0, 1),
    clock: () => performance.now(),
  });
  // Whoever holds the detector holds it for good.
  const { detector } = rules;
  const send = (...spans: PlainSpan[]) => detector.detect(plainEvents(spans, (id) => fields.name(id)));
  return { rules, files, lines, send, detector };
}

const span = (at: bigint, a = 'x'): PlainSpan => ({ fields: { a, g: 'one' }, endNanos: at * second });
const idsOf = (findings: ReturnType<Detector['detect']>) => findings.map(({ ruleId }) => ruleId);

describe('a reload', () => {
  test('takes new rules over, and unchanged correlations keep what they have counted', () => {
    const { rules, files, send, detector } = rulesOf(base, counts(3));
    send(span(1n), span(2n));
    files.texts = [base, counts(3), other];
    const outcome = rules.reload();
    assert.deepEqual([outcome.status, 'changed' in outcome && outcome.changed], ['reloaded', 1]);
    assert.deepEqual(idsOf(send(span(3n, 'z'))), ['7f2f2a54-7ed9-4d3f-a8d8-6f1f6d9f2b10']);
    assert.deepEqual([...new Set(idsOf([...send(span(4n)), ...detector.flush()]))], ['many']);
  });

  test('lets changed correlations begin anew', () => {
    const { rules, files, send, detector } = rulesOf(base, counts(3));
    send(span(1n), span(2n));
    files.texts = [base, counts(2)];
    rules.reload();
    assert.deepEqual(idsOf([...send(span(4n)), ...detector.flush()]), []);
  });

  test('with an error in it changes nothing, and says where the error is until it is mended', () => {
    const { rules, files, send, lines } = rulesOf(base);
    files.texts = [base.replace('condition: s', 'condition: nobody')];
    assert.equal(rules.reload().status, 'refused');
    assert.match(rules.refused?.message ?? '', /0\.yml:8:14: the identifier `nobody` is not defined/);
    assert.match(lines.join(), /were not reloaded.*/);
    assert.equal(send(span(1n)).length, 1);
    const states = rules.takeStates().map(({ ruleId, state }) => [ruleId, state]);
    assert.deepEqual(states, [
      [baseId, 'active'],
      ['', 'set_loaded'],
      ['', 'set_refused'],
    ]);
    files.texts = [other];
    assert.equal(rules.reload().status, 'reloaded');
    assert.equal(rules.refused, undefined);
    assert.deepEqual(
      rules.takeStates().map(({ ruleId, state }) => [ruleId, state]),
      [
        ['7f2f2a54-7ed9-4d3f-a8d8-6f1f6d9f2b10', 'active'],
        [baseId, 'removed'],
        ['', 'set_loaded'],
      ],
    );
  });

  test('gives disabled rules another chance; counts from before it are not lost', () => {
    const { rules, send, lines } = rulesOf(
      base.replace('a: x', () => "a|re: '(?:[ab]+[bc]+)+[^d]{1,200}[ef]+[gh]$'"),
      other,
    );
    send(span(1n, `${'aab'.repeat(100_000)}c${'x'.repeat(100_000)}`));
    assert.deepEqual(
      rules.disabledRules().map(({ ruleId }) => ruleId),
      [baseId],
    );
    assert.match(lines.join(), /rule disabled/);
    assert.ok(
      rules.takeStates().some(({ ruleId, state, reason }) => ruleId === baseId && state === 'disabled' && reason),
    );
    rules.reload();
    assert.deepEqual(rules.disabledRules(), []);
    send(span(2n, 'z'));
    const spans = rules
      .takeHealth(0)
      .stats.filter(({ ruleId }) => ruleId === baseId)
      .map((row) => row.spans);
    assert.deepEqual(spans, [1, 1]);
  });
});

test('suppressions that have expired are told at the start', () => {
  const filter =
    'title: Quiet\nid: quiet\nowner: alice\nreason: r\nexpires: 2026-12-31\nlogsource: {product: ai_agent}\n' +
    'filter:\n  rules: any\n  q: {b: quiet}\n  condition: not q\n';
  assert.match(rulesOf(base, filter).lines.join(), /suppression expired/);
  assert.doesNotMatch(rulesOf(base, filter.replace('2026-12-31', '2027-01-01')).lines.join(), /suppression expired/);
});

test('the first set must be right', () => {
  assert.throws(() => rulesOf('title: x\n'), /the rule has no detection part/);
});
