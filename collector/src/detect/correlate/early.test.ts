import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Finding, versionOf } from '../../model/finding.ts';
import { limits } from '../../model/limits.ts';
import { correlation, second, setup, span, spanId } from '../testing/correlating-setup.ts';
import type { PlainSpan } from '../testing/plain-events.ts';

describe('early findings', () => {
  test('an earlier span that comes later changes the finding, not its id', () => {
    const { send, detector } = setup(correlation({ condition: '{gte: 3}' }));
    const given = (...spans: readonly PlainSpan[]) => send(...spans).filter(({ count }) => count !== undefined);
    assert.deepEqual(given(span('a', 1), span('a', 9)), []);
    const [early] = given(span('a', 8));
    assert.deepEqual([early!.spanId, early!.count], [spanId('a', 9), 3]);
    assert.deepEqual(given(span('a', 2)), []);
    const [settled] = detector.flush();
    assert.deepEqual([settled!.id, settled!.spanId, settled!.count], [early!.id, spanId('a', 8), 4]);
    assert.ok(versionOf(settled!) > versionOf(early!));
  });

  test('what more events may undo waits, and so does what only other correlations see', () => {
    for (const condition of ['{lt: 3}', '{gte: 1, lte: 2}']) {
      assert.deepEqual(setup(correlation({ condition })).send(span('a', 1)), []);
    }
    const sum = correlation({ type: 'value_sum', condition: '{field: n, gte: 1}' });
    assert.deepEqual(setup(sum).send(span('a', 1, { n: 5 })), []);
    const { send } = setup(correlation({}), correlation({ name: 'top', rules: '[c]', condition: '{gte: 1}' }));
    assert.deepEqual(send(span('a', 1), span('a', 2)), []);
  });

  test('where an hour of ids ends within the lateness the finding waits for its end', () => {
    const { send } = setup(correlation({}));
    const given = (...spans: readonly PlainSpan[]) => send(...spans).filter(({ count }) => count !== undefined);
    // 3600 s is 2600 s after the first second of these spans.
    assert.deepEqual(given(span('a', 2595), span('a', 2601)), []);
    assert.deepEqual(given(span('b', 2629)), []);
    assert.equal(given(span('b', 2630))[0]!.count, 2);
  });

  test('looking is bounded: what one batch does not reach the next does', () => {
    const { send } = setup(correlation({ condition: '{gte: 3}' }));
    const groups = Array.from({ length: 600 }, (_, index) => `g${index}`);
    const one = (at: number) =>
      groups.map((g, index) => span('a', at, { g, span_id: (at * 1000 + index).toString(16).padStart(16, '0') }));
    const early = [...send(...one(1), ...one(2)), ...send(...one(3)), ...send(), ...send()];
    assert.equal(early.filter(({ provisional }) => provisional).length, 600);
  });
});

describe('sources', () => {
  const from = (service: string, at: number) => span('a', at, { 'service.name': service, g: service });

  test('a clock that is ahead makes no other source late', () => {
    const { send, detector } = setup(correlation({}));
    send(from('ahead', 1), from('here', 1));
    send(from('ahead', 25_000));
    for (let at = 2; at < 40; at++) send(from('here', at));
    assert.equal(detector.correlationStats().late, 0);
    assert.equal(detector.correlationStats().sources, 2);
  });

  test('a slow sender is waited for, one that is far behind is not', () => {
    const { sendAt, detector } = setup(correlation({}));
    const now = (at: number) => BigInt(1000 + at) * second;
    const late = (behind: number) => {
      const before = detector.correlationStats().late;
      for (let at = 0; at < 60; at++) sendAt(now(at), from('here', at), from(`slow ${behind}`, at - behind));
      return detector.correlationStats().late - before;
    };
    assert.equal(late(100), 0);
    assert.ok(late(400) > 30);
  });

  test('a source that fell silent holds nobody back for long', () => {
    const { send } = setup(correlation({ condition: '{lt: 3}' }));
    send(from('silent', 1));
    const given: Finding[] = [];
    for (let at = 1; at < 100; at++) given.push(...send(from('here', at)));
    assert.ok(given.some(({ groupKey }) => groupKey.includes('silent')));
  });

  test('more instances than there is room for share a place', () => {
    const { send, detector } = setup(correlation({}));
    for (let each = 0; each < 1100; each++) {
      send(from(`service ${each}`, 1));
    }
    assert.equal(detector.correlationStats().sources, limits.sourcesMax);
  });
});
