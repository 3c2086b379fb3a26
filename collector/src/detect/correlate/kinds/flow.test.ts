import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createFieldTable } from '../../../model/fields.ts';
import type { Finding } from '../../../model/finding.ts';
import { limits } from '../../../model/limits.ts';
import { createDetector } from '../../engine.ts';
import { loadRules } from '../../load.ts';
import { type PlainSpan, plainEvents } from '../../testing/plain-events.ts';

const second = 1_000_000_000n;
const rule = (more: string) =>
  `title: x\nname: x\ncorrelation:\n  type: flow\n  group-by: [g]\n  from: [untrusted]\n  to: [pay]\n${more}`;

interface Made {
  readonly at: number;
  readonly lasts: number;
  readonly role: 'source' | 'trusted' | 'used';
  readonly when: 'start' | 'end';
  readonly effect: string;
  readonly value: string;
  readonly spanId: string;
  readonly delay: number;
}

function spanOf({ at, lasts, role, when, effect, value, spanId }: Made): PlainSpan {
  const label = { source: effect === 'pay' ? 'untrusted' : 'internal', trusted: 'user_supplied', used: effect }[role];
  const item = `${role} ${when} ${label} email ${value} ${value}***@example.org`;
  const endNanos = BigInt(1000 + at) * second;
  const startNanos = endNanos - BigInt(lasts) * second;
  return { fields: { g: 'x', span_id: spanId, [`spanwarden.values.${role}`]: [item] }, startNanos, endNanos };
}

function detectorOf(more = '') {
  const fields = createFieldTable();
  const detector = createDetector({ ...loadRules([{ path: 'r.yml', text: rule(more) }]), fields });
  return {
    detector,
    send: (spans: readonly PlainSpan[]) => detector.detect(plainEvents(spans, (id) => fields.name(id))),
  };
}

/** Every use looks at all spans before it; of each value the finding opens at the first use that no one clears. */
function plainFlow(events: readonly Made[]): string[] {
  const time = ({ at, lasts, when }: Made): number => (when === 'start' ? at - lasts : at);
  const opened: { spanId: string; value: string; count: number }[] = [];
  for (const [index, use] of events.entries()) {
    if (use.role !== 'used' || use.effect !== 'pay') continue;
    const before = events.slice(0, index).filter(({ value }) => value === use.value);
    const trusted = before.filter(({ role }) => role === 'trusted')[0];
    const [origin] = before.filter(({ role }) => role !== 'trusted').sort((a, b) => time(a) - time(b));
    if (origin?.role !== 'source' || origin.effect !== 'pay' || time(origin) > time(use)) continue;
    if (trusted && time(trusted) <= time(use)) continue;
    const known = opened.find(({ value }) => value === use.value);
    if (known) known.count++;
    else opened.push({ spanId: use.spanId, value: use.value, count: 2 });
  }
  return opened.map(({ spanId, count }) => `${spanId} ${count}`).sort();
}

describe('flow', () => {
  test('any order, batching and restart gives what the plain evaluator gives', () => {
    const one = fc.record({
      at: fc.integer({ min: 0, max: 60 }),
      lasts: fc.integer({ min: 0, max: 10 }),
      role: fc.constantFrom('source' as const, 'source' as const, 'used' as const, 'used' as const, 'trusted' as const),
      when: fc.constantFrom('start' as const, 'end' as const),
      effect: fc.constantFrom('pay', 'pay', '-'),
      value: fc.constantFrom('p', 'q', 'r'),
      delay: fc.integer({ min: 0, max: 30 }),
    });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 25 }), fc.integer({ min: 1, max: 6 }), (raw, size) => {
        const events = raw
          .map((each, index) => ({ ...each, spanId: (index + 1).toString(16).padStart(16, '0') }))
          .sort((a, b) => a.at - b.at || b.lasts - a.lasts || (a.spanId < b.spanId ? -1 : 1));
        const arrived = [...events].sort((a, b) => a.at + a.delay - b.at - b.delay);
        const newest = new Map<string, Finding>();
        let { detector, send } = detectorOf();
        const keep = (found: readonly Finding[]): void => {
          for (const finding of found) newest.set(finding.id, finding);
        };
        for (let from = 0; from < arrived.length; from += size) {
          keep(send(arrived.slice(from, from + size).map(spanOf)));
          const snapshot = detector.snapshot();
          ({ detector, send } = detectorOf());
          assert.equal(detector.restore(snapshot).status, 'restored');
        }
        keep(detector.flush());
        const found = [...newest.values()].map(({ spanId, count }) => `${spanId} ${count}`);
        assert.deepEqual(found.sort(), plainFlow(events));
      }),
      { numRuns: 300 },
    );
  });

  const made = (more: Partial<Made>, index: number): Made => ({
    at: index,
    lasts: 0,
    role: 'source',
    when: 'end',
    effect: 'pay',
    value: 'p',
    spanId: (index + 1).toString(16).padStart(16, '0'),
    delay: 0,
    ...more,
  });
  const found = (spans: readonly Partial<Made>[], more?: string): Finding[] => {
    const { detector, send } = detectorOf(more);
    return [...send(spans.map((each, index) => spanOf(made(each, index)))), ...detector.flush()];
  };

  test('a finding about two values stays one over a restart', () => {
    const item = (role: string, label: string, value: string) =>
      `${role} end ${label} email ${value} ${value}***@example.org`;
    const two = (role: string, label: string, values: readonly string[], at: number): PlainSpan => {
      const fields = { [`spanwarden.values.${role}`]: values.map((value) => item(role, label, value)) };
      const span = spanOf(made({}, at));
      return { ...span, fields: { g: 'x', span_id: span.fields.span_id!, ...fields } };
    };
    let { detector, send } = detectorOf();
    const newest = new Map<string, Finding>();
    for (const span of [
      two('source', 'untrusted', ['p', 'q'], 0),
      two('used', 'pay', ['p', 'q'], 40),
      two('used', 'pay', ['p'], 80),
      two('used', 'pay', ['q'], 120),
      two('used', 'pay', ['p'], 160),
    ]) {
      for (const finding of send([span])) newest.set(finding.id, finding);
      const snapshot = detector.snapshot();
      ({ detector, send } = detectorOf());
      detector.restore(snapshot);
    }
    for (const finding of detector.flush()) newest.set(finding.id, finding);
    assert.deepEqual(
      [...newest.values()].map(({ count }) => count),
      [5],
    );
  });

  test('evidence names both spans and the kind of value, never the value', () => {
    const [finding] = found([{}, { role: 'used' }]);
    const [measured, note, ...spans] = finding!.evidence;
    assert.equal(measured!.excerpt, 'untrusted email p***@example.org → pay');
    assert.deepEqual(note, {
      selection: 'flow',
      field: 'email by value',
      wanted: 'untrusted → pay',
      excerpt: 'p***@example.org of a span (0000000000000001) in a span (0000000000000002)',
    });
    assert.equal(spans.length, 2);
  });

  test('the source may end exactly when the call begins', () => {
    assert.equal(found([{ at: 5 }, { at: 8, lasts: 3, role: 'used', when: 'start' }]).length, 1);
    assert.equal(found([{ at: 6 }, { at: 8, lasts: 3, role: 'used', when: 'start' }]).length, 0);
  });

  test('`unless: []` lets nothing clear a value', () => {
    const spans: Partial<Made>[] = [{ role: 'trusted' }, {}, { role: 'used' }];
    assert.equal(found(spans).length, 0);
    assert.equal(found(spans, '  unless: []\n').length, 1);
  });

  test('other kinds are not followed, and past the bound the oldest values are forgotten and counted', () => {
    assert.equal(found([{}, { role: 'used' }], '  kinds: [url]\n').length, 0);
    const { detector, send } = detectorOf();
    const many = Array.from({ length: limits.flowValuesPerSessionMax + 5 }, (_, index) =>
      spanOf(made({ value: `v${index}` }, index)),
    );
    send(many);
    const last = limits.flowValuesPerSessionMax + 10;
    send([spanOf(made({ role: 'used', value: 'v0' }, last)), spanOf(made({ role: 'used', value: 'v9' }, last + 1))]);
    assert.equal(detector.flush().length, 1);
    assert.ok(detector.correlationStats().rules[0]!.droppedEvents >= 5);
  });
});
