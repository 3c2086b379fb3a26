import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SpanIdentity } from '../span-identity.ts';
import { KeptSpan, plainSpan, SpanSet } from './kept-span.ts';

const names = { spanName: '', serviceName: '', agentName: '', userId: '', toolName: '' };
const word = fc.constantFrom(0, 1, -1, 2 ** 31 - 1);
const kept = fc
  .tuple(word, word, word, word, word, word)
  .map(([a, b, c, d, e, f]) => new KeptSpan(5n, '', names, a, b, c, d, e, f));
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
