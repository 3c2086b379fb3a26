import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createFieldTable } from '../../../model/fields.ts';
import type { Finding } from '../../../model/finding.ts';
import { createDetector, type Detector } from '../../engine.ts';
import { loadRules } from '../../load.ts';
import { type PlainSpan, plainEvents } from '../../testing/plain-events.ts';
import {
  type PlainEpisode,
  type PlainEvent,
  plainAbsence,
  plainExtended,
  plainNewValue,
  plainRare,
  plainRate,
} from '../../testing/plain-kinds.ts';

const second = 1_000_000_000n;
/** The longest delay, which is the lateness that is allowed. */
const delayMax = 30;

const base = (rule: string) =>
  `title: ${rule}\nname: ${rule}\nlogsource: {product: ai_agent, category: tool}\n` +
  `detection: {s: {rules|contains: ${rule}}, condition: s}\n`;

function detectorOf(body: string): { detector: Detector; send: (spans: readonly PlainSpan[]) => Finding[] } {
  const fields = createFieldTable();
  const lines = body.split('\n').map((line) => `  ${line}`);
  const rule = `title: x\nname: x\ncorrelation:\n  group-by: [g]\n${lines.join('\n')}\n`;
  const text = [...['a', 'b', 'c', 'd'].map(base), rule].join('---\n');
  const detector = createDetector({ ...loadRules([{ path: 'r.yml', text }]), fields });
  const send = (spans: readonly PlainSpan[]) => detector.detect(plainEvents(spans, (id) => fields.name(id)));
  return { detector, send };
}

interface Made extends PlainEvent {
  readonly g: string;
  readonly delay: number;
}

function madeEvents(last: number, rules: readonly string[]): fc.Arbitrary<Made[]> {
  const one = fc.record({
    at: fc.integer({ min: 0, max: last }),
    g: fc.constantFrom('x', 'x', 'y'),
    rules: fc.constantFrom(...rules),
    value: fc.constantFrom('p', 'p', 'p', 'q', 'r', 's'),
    number: fc.constantFrom(0, 1, 1, 2, 30, 100),
    delay: fc.integer({ min: 0, max: delayMax }),
  });
  const numbered = (made: readonly Omit<Made, 'spanId'>[]) =>
    made
      .map((each, index) => ({ ...each, spanId: (index + 1).toString(16).padStart(16, '0') }))
      .sort((a, b) => a.at - b.at || (a.spanId < b.spanId ? -1 : 1));
  return fc.array(one, { maxLength: 40 }).map(numbered);
}

function spanOf({ at, g, rules, value, number, spanId }: Made): PlainSpan {
  const endNanos = BigInt(at) * second;
  return { fields: { rules, g, v: value, n: number, span_id: spanId }, startNanos: endNanos, endNanos };
}

/** Sends events late, in batches, with a new detector for each batch, and compares with what is plainly right. */
function equalsPlain(
  body: string,
  plain: (events: readonly PlainEvent[], lastAt: number) => readonly PlainEpisode[],
  made: fc.Arbitrary<Made[]>,
): void {
  fc.assert(
    fc.property(made, fc.integer({ min: 1, max: 9 }), (events, size) => {
      const lastAt = events.at(-1)?.at ?? 0;
      const expected = ['x', 'y'].flatMap((g) =>
        plain(
          events.filter((event) => event.g === g),
          lastAt,
        ).map(({ spanId, count }) => `${spanId} ${count}`),
      );
      const arrived = [...events].sort((a, b) => a.at + a.delay - b.at - b.delay);
      const newest = new Map<string, Finding>();
      let { detector, send } = detectorOf(body);
      const keep = (findings: readonly Finding[]): void => {
        for (const finding of findings) if (finding.ruleId === 'x') newest.set(finding.id, finding);
      };
      for (let from = 0; from < arrived.length; from += size) {
        keep(send(arrived.slice(from, from + size).map(spanOf)));
        const snapshot = detector.snapshot();
        ({ detector, send } = detectorOf(body));
        assert.equal(detector.restore(snapshot).status, 'restored');
      }
      keep(detector.flush());
      assert.deepEqual([...newest.values()].map(({ spanId, count }) => `${spanId} ${count}`).sort(), expected.sort());
    }),
    { numRuns: 150 },
  );
}

describe('any order, batching and restart gives what the plain evaluator gives', () => {
  const single = ['a'];
  const cases: readonly [string, () => void][] = [
    [
      'new_value',
      () =>
        equalsPlain(
          'type: new_value\nrules: [a]\nfield: v\nlearn: 10s\nlearn_events: 2\nttl: 25s',
          (events) => plainNewValue(events, { learn: 10, learnEvents: 2, ttl: 25 }),
          madeEvents(120, single),
        ),
    ],
    [
      'rare',
      () =>
        equalsPlain(
          'type: rare\nrules: [a]\nfield: v\nmax_share: 20%\nmax_count: 2\nmin: 3\nhistory: 40s',
          (events) => plainRare(events, { share: 0.2, count: 2, min: 3, history: 40 }),
          madeEvents(150, single),
        ),
    ],
    ...['up', 'down', 'both'].map((direction): [string, () => void] => [
      `rate_anomaly, ${direction}`,
      () =>
        equalsPlain(
          `type: rate_anomaly\nrules: [a]\nmeasure: sum(n)\nbucket: 5s\nhistory: 50s\nscore: 3\nmin: 3\ndirection: ${direction}`,
          (events, lastAt) => plainRate(events, lastAt, { bucket: 5, buckets: 10, score: 3, min: 3, direction }),
          madeEvents(110, single),
        ),
    ]),
    [
      'absence',
      () =>
        equalsPlain(
          'type: absence\nrules: [a, b]\nwithin: 10s',
          (events) => plainAbsence(events, 10),
          madeEvents(80, ['a', 'b', 'b', 'ab']),
        ),
    ],
    [
      'temporal in words',
      () =>
        equalsPlain(
          'type: temporal\nrules: [a, b, c, d]\ntimespan: 8s\ncondition: a and (b or c) and not d',
          (events) =>
            plainExtended(events, 8, false, [
              ['ab', 'd'],
              ['ac', 'd'],
            ]),
          madeEvents(80, ['a', 'b', 'c', 'd', 'ab', 'bc']),
        ),
    ],
    [
      'temporal_ordered in words',
      () =>
        equalsPlain(
          'type: temporal_ordered\nrules: [a, b, c]\ntimespan: 8s\ncondition: a and b and not c',
          (events) => plainExtended(events, 8, true, [['ab', 'c']]),
          madeEvents(80, ['a', 'b', 'b', 'c', 'ab']),
        ),
    ],
  ];
  for (const [name, run] of cases) test(name, run);
});
