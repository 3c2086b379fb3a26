import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SpanIdentity } from '../span-identity.ts';
import { KeptSpan, plainSpan, SpanSet } from './kept-span.ts';

const names = { spanName: '', serviceName: '', agentName: '', userId: '', toolName: '' };
const word = fc.constantFrom(0, 1, -1, 2 ** 31 - 1);
const kept = fc
  .tuple(word, word, word, word, word, word)
  .map(([a, b, c, d, e, f]) => new KeptSpan(0, 5, '', names, a, b, c, d, e, f));
const text = fc.constantFrom('', 'a', 'ab', 'b', '0'.repeat(16), '0'.repeat(32));
const foreign = fc
  .tuple(text, text)
  .map(([spanId, traceId]): SpanIdentity => ({ ...names, conversationId: '', endNanos: 5n, spanId, traceId }));

test('a set of spans knows each by its ids, as numbers and as texts', () => {
  const span = fc.oneof(kept, kept.map(plainSpan), foreign);
  fc.assert(
    fc.property(fc.array(span, { maxLength: 300, size: 'max' }), (spans) => {
      const set = new SpanSet();
      for (const each of spans) set.add(each);
      const first = new Map<string, SpanIdentity>();
      for (const each of spans) {
        const key = JSON.stringify([each.spanId, each.traceId]);
        if (!first.has(key)) first.set(key, each);
      }
      assert.deepEqual(set.spans.map(plainSpan), [...first.values()].map(plainSpan));
    }),
  );
});

test('spans that differ in any word of their ids are not the same, and equal ones have equal hashes', () => {
  const at = (...words: readonly number[]) => {
    const [a, b, c, d, e, f] = [0, 1, 2, 3, 4, 5].map((place) => words[place] ?? 7);
    return new KeptSpan(0, 5, '', names, a!, b!, c!, d!, e!, f!);
  };
  for (let place = 0; place < 6; place++) {
    const other = at(...[7, 7, 7, 7, 7, 7].with(place, -8));
    assert.equal(KeptSpan.isSame(at(), other), false);
    assert.equal(KeptSpan.isSame(plainSpan(at()), other), false);
    assert.notEqual(KeptSpan.hash(at()), KeptSpan.hash(other));
    assert.equal(KeptSpan.hash(plainSpan(other)), KeptSpan.hash(other));
    assert.equal(KeptSpan.isSame(plainSpan(other), other), true);
  }
});
