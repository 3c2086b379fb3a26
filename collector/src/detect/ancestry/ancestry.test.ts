import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createFieldTable } from '../../model/fields.ts';
import type { Finding } from '../../model/finding.ts';
import type { Value } from '../../model/value.ts';
import { loadRules } from '../load.ts';
import { type PlainSpan, plainEvents } from '../testing/plain-events.ts';
import { Ancestry, type AncestryBounds } from './ancestry.ts';

const second = 1_000_000_000n;
const waitNanos = 100n * second;
const lateness = 10n * second;

/** Rules in YAML: each a detection part. */
function rulesOf(...detections: readonly string[]) {
  const texts = detections.map(
    (detection, index) =>
      `title: r${index}\nname: r${index}\nlogsource: {product: ai_agent, category: tool}\ndetection: ${detection}\n`,
  );
  return loadRules([{ path: 'r.yml', text: texts.join('---\n') }]).rules;
}

function setup(detections: readonly string[], bounds?: Partial<AncestryBounds>) {
  const fields = createFieldTable();
  const ancestry = new Ancestry({
    rules: rulesOf(...detections),
    fields,
    waitNanos,
    allowedLatenessNanos: lateness,
    journalled: true,
    ...(bounds && { bounds }),
  });
  const findings = (matches: ReturnType<Ancestry['settle']>): Finding[] => matches.map(({ finding }) => finding);
  return {
    ancestry,
    send: (...spans: readonly PlainSpan[]): Finding[] => {
      const events = plainEvents(spans, (id) => fields.name(id));
      for (let span = 0; span < spans.length; span++) {
        ancestry.add({ events, span, turn: span }, events.categories(span));
      }
      return findings(ancestry.settle());
    },
    flush: () => findings(ancestry.flush()),
  };
}

/** A span with ids of one digit: `span('c', 'p', 3)` ended after three seconds. */
function span(id: string, parent: string, atSeconds: number, fields: Readonly<Record<string, Value>> = {}): PlainSpan {
  const ids = { span_id: long(id), ...(parent !== '' && { parent_span_id: long(parent) }) };
  return { fields: { ...ids, ...fields }, endNanos: BigInt(1000 + atSeconds) * second };
}

function long(id: string): string {
  return id.padStart(16, '0');
}

const ids = (findings: readonly Finding[]) => findings.map(({ spanId }) => spanId.replace(/^0+/, ''));

describe('reach', () => {
  test('the parent, whether it comes before or after', () => {
    const rule = '{s: {tool: x, parent.agent: a}, condition: s}';
    const child = span('c', 'p', 1, { tool: 'x' });
    const parent = span('p', '', 2, { agent: 'a' });
    const after = setup([rule]);
    assert.deepEqual(ids(after.send(child)), []);
    assert.deepEqual(ids(after.send(parent)), ['c']);
    assert.deepEqual(ids(setup([rule]).send(parent, child)), ['c']);
    assert.deepEqual(ids(setup([rule]).send(span('p', '', 2, { agent: 'b' }), child)), []);
  });

  test('the root through spans that say nothing, and the root of a root is itself', () => {
    const { send } = setup(['{s: {tool: x, root.agent: a}, condition: s}']);
    assert.deepEqual(ids(send(span('c', 'm', 1, { tool: 'x' }), span('r', '', 3, { agent: 'a' }))), []);
    assert.deepEqual(ids(send(span('m', 'r', 2))), ['c']);
    assert.deepEqual(ids(send(span('q', '', 4, { tool: 'x', agent: 'a' }))), ['q']);
  });

  test('any ancestor decides as soon as one has it; none is known at the root only', () => {
    const { send } = setup([
      '{s: {tool: x, ancestor.agent: a}, condition: s}',
      '{s: {tool: y}, f: {ancestor.agent: a}, condition: s and not f}',
    ]);
    send(span('c', 'p', 1, { tool: 'x' }), span('d', 'p', 1, { tool: 'y' }));
    assert.deepEqual(ids(send(span('p', 'g', 2, { agent: 'b' }))), []);
    assert.deepEqual(ids(send(span('g', 'r', 3, { agent: 'a' }))), ['c']);
    assert.deepEqual(ids(send(span('r', '', 4))), []);
    assert.deepEqual(ids(send(span('e', 'h', 4, { tool: 'y' }), span('h', 'q', 5, { agent: 'b' }))), []);
    assert.deepEqual(ids(send(span('q', '', 6))), ['e']);
  });

  test('members of different ancestors satisfy `all`, and neq is about all of them', () => {
    const { send } = setup([
      "{s: {tool: x, 'ancestor.agent|contains|all': [a, b]}, condition: s}",
      "{s: {tool: x, 'ancestor.agent|neq': c}, condition: s}",
    ]);
    const findings = send(
      span('c', 'p', 1, { tool: 'x' }),
      span('p', 'g', 2, { agent: 'a1' }),
      span('g', '', 3, { agent: ['b1', 'z'] }),
    );
    assert.deepEqual(findings.map(({ ruleTitle }) => ruleTitle).sort(), ['r0', 'r1']);
  });

  test('a field of the span is compared with one of the root', () => {
    const { send } = setup(["{s: {'agent|fieldref|neq': root.agent}, condition: s}"]);
    const root = span('r', '', 3, { agent: 'a' });
    assert.deepEqual(ids(send(span('c', 'r', 1, { agent: 'b' }), span('d', 'r', 1, { agent: 'A' }), root)), ['c']);
  });

  test('an attribute of that name on the span itself is not the parent', () => {
    const { send, flush } = setup(['{s: {tool: x, parent.agent: a}, condition: s}']);
    send(span('c', 'p', 1, { tool: 'x', 'parent.agent': 'a' }));
    assert.deepEqual(flush(), []);
  });

  test('evidence names the span above', () => {
    const { send } = setup(['{s: {tool: x, ancestor.agent: a, parent.agent|exists: false}, condition: s}']);
    const [finding] = send(span('c', 'b', 1, { tool: 'x' }), span('b', 'a', 2), span('a', '', 3, { agent: 'a' }));
    assert.deepEqual(
      finding!.evidence.map(({ field, wanted, excerpt }) => [field, wanted, excerpt]),
      [
        ['tool', 'equals "x"', 'x'],
        ['ancestor.agent', `equals "a" (span ${long('a')})`, 'a'],
        ['parent.agent', `is absent (span ${long('b')})`, ''],
      ],
    );
    assert.equal(finding!.timeNanos, 1001n * second);
    assert.equal(finding!.lastSeenNanos, 1003n * second);
  });
});

describe('what cannot be known', () => {
  const absent = "{s: {tool: x, 'parent.agent|exists': false}, condition: s}";

  test('own fields that exclude a rule leave nothing behind, those that suffice fire at once', () => {
    const { send, ancestry } = setup(['{s: {tool: x}, p: {parent.agent: a}, condition: s or p}', absent]);
    assert.deepEqual(ids(send(span('c', 'p', 1, { tool: 'x' }))), ['c']);
    assert.equal(ancestry.stats().waiting, 1);
    send(span('d', 'p', 1, { tool: 'z' }));
    assert.equal(ancestry.stats().waiting, 2);
  });

  test('a parent that never comes is absent once event time has passed the wait', () => {
    const { send, ancestry } = setup([absent]);
    send(span('c', 'p', 0, { tool: 'x' }));
    assert.deepEqual(ids(send(span('z', '', 110))), []);
    assert.deepEqual(ids(send(span('z', '', 111))), ['c']);
    assert.deepEqual([ancestry.stats().timedOut, ancestry.stats().waiting], [1, 0]);
  });

  test('a parent that ended too long after or before is absent, though it is known', () => {
    const { send, flush } = setup([absent]);
    assert.deepEqual(ids(send(span('p', '', 101, { agent: 'a' }), span('c', 'p', 0, { tool: 'x' }))), []);
    assert.deepEqual(ids(flush()), ['c']);
    send(span('p', '', 100, { agent: 'a' }), span('c', 'p', 0, { tool: 'x' }));
    assert.deepEqual(ids(flush()), []);
    send(span('p', '', 0, { agent: 'a' }), span('c', 'p', 101, { tool: 'x' }));
    assert.deepEqual(ids(flush()), ['c']);
  });

  test('other traces are other traces', () => {
    const { send, flush } = setup([absent]);
    send(span('c', 'p', 0, { tool: 'x' }), span('p', '', 1, { agent: 'a', trace_id: 'bb'.repeat(16) }));
    assert.deepEqual(ids(flush()), ['c']);
  });
});

describe('hostile traces', () => {
  const rootless = "{s: {tool: x, 'root.agent|exists': false}, condition: s}";

  test('a span that is its own parent, and a circle', () => {
    const { send } = setup([rootless]);
    assert.deepEqual(ids(send(span('c', 'c', 1, { tool: 'x' }))), ['c']);
    assert.deepEqual(ids(send(span('d', 'e', 1, { tool: 'x' }), span('e', 'd', 2))), ['d']);
    assert.deepEqual(ids(send(span('f', 'e', 3, { tool: 'x' }))), ['f']);
  });

  test('a chain without end is cut', () => {
    const { send } = setup([rootless]);
    const chain = Array.from({ length: 70 }, (_, index) => span(`a${index}`, `a${index + 1}`, index));
    assert.deepEqual(ids(send(span('c', 'a0', 0, { tool: 'x' }), ...chain)), ['c']);
  });

  test('of two spans with one id the first counts, and it is said', () => {
    const { send, ancestry } = setup(['{s: {tool: x, parent.agent: a}, condition: s}']);
    send(span('p', '', 1, { agent: 'a' }), span('p', '', 2, { agent: 'b' }));
    assert.deepEqual(ids(send(span('c', 'p', 1, { tool: 'x' }))), ['c']);
    assert.equal(ancestry.stats().conflicting, 1);
  });

  test('a span that comes again while it waits waits once', () => {
    const { send, ancestry } = setup(['{s: {tool: x, parent.agent: a}, condition: s}']);
    const child = span('c', 'p', 1, { tool: 'x' });
    send(child, child, child);
    assert.equal(ancestry.stats().waiting, 1);
    assert.deepEqual(ids(send(span('p', '', 2, { agent: 'a' }))), ['c']);
  });

  test('bounds hold, and everything over them is counted', () => {
    const { send, ancestry } = setup(["{s: {tool: x, 'parent.agent|exists': false}, condition: s}"], {
      waitingMax: 10,
      spansPerTraceMax: 20,
      tracesMax: 5,
    });
    const trace = (index: number) => ({ trace_id: index.toString(16).padStart(32, '0') });
    const one = Array.from({ length: 50 }, (_, index) => span(`a${index}`, `b${index}`, index, { tool: 'x' }));
    assert.equal(send(...one).length, 40);
    const many = Array.from({ length: 20 }, (_, index) => span(`a${index}`, `b${index}`, 51, trace(index)));
    assert.equal(send(...many).length, 10);
    const stats = ancestry.stats();
    assert.deepEqual([stats.waiting, stats.hurried, stats.traces, stats.spans], [0, 50, 5, 5]);
    assert.deepEqual([stats.evictedSpans, stats.evictedTraces], [30, 16]);
  });

  test('large values are cut and bytes are bounded', () => {
    const { send, ancestry } = setup(['{s: {tool: x, parent.agent|endswith: z}, condition: s}'], { bytesMax: 50_000 });
    const large = Array.from({ length: 30 }, (_, index) =>
      span(`a${index}`, '', index, { agent: Array.from({ length: 40 }, () => `${index}${'y'.repeat(1000)}z`) }),
    );
    send(...large);
    assert.ok(ancestry.stats().bytes < 120_000 && ancestry.stats().spans === 1);
    send(span('p', '', 40, { agent: `${'y'.repeat(100_000)}z` }));
    assert.deepEqual(ids(send(span('c', 'p', 40, { tool: 'x' }))), []);
  });

  test('time forgets traces and spans that nothing can ask for any more', () => {
    const { send, ancestry } = setup(['{s: {tool: x, parent.agent: a}, condition: s}']);
    send(span('a', '', 0, { trace_id: '1'.repeat(32) }), span('b', '', 0));
    send(span('c', '', 150));
    assert.deepEqual([ancestry.stats().traces, ancestry.stats().spans], [2, 3]);
    send(span('d', '', 211));
    send(span('e', '', 212));
    assert.deepEqual([ancestry.stats().traces, ancestry.stats().spans], [1, 3]);
  });
});

test('nothing is kept when no rule asks for other spans', () => {
  const { send, ancestry, flush } = setup(['{s: {tool: x}, condition: s}']);
  assert.deepEqual(send(span('c', 'p', 1, { tool: 'x' })), []);
  assert.deepEqual(flush(), []);
  assert.equal(ancestry.stats().bytes, 0);
  assert.equal(ancestry.newestNanos, 0n);
  assert.equal(ancestry.takeJournal().length, 0);
});
