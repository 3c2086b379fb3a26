import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Value } from '../model/value.ts';
import { parsedOrCut } from './json-value.ts';
import { partialJson } from './partial-json.ts';

function plain(value: Value | undefined): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

test('what stands before the cut is read', () => {
  const cases: readonly (readonly [cut: string, read: unknown])[] = [
    ['[{"role":"user","content":"hel', [{ role: 'user', content: 'hel' }]],
    ['[{"role":"user","content":"a"},{"ro', [{ role: 'user', content: 'a' }, {}]],
    ['{"a":1,"b":[1,2', { a: 1, b: [1] }],
    ['{"a":"x\\', { a: 'x' }],
    ['{"a":"x\\u00', { a: 'x' }],
    ['{"a":"x\\\\', { a: 'x\\' }],
    ['{"a":{"b":null,"c":tru', { a: { b: null } }],
    ['{"a":"kept…[TRUNCATED - 61440 characters]', { a: 'kept…[TRUNCATED - 61440 characters]' }],
  ];
  for (const [cut, read] of cases) assert.deepEqual(plain(partialJson(cut)), read, cut);
});

test('text that is no JSON, or was not cut, stays text', () => {
  for (const text of ["{'a': 1}", '[draft] hello', '{a:1', '["a" "b', '{"a":1}x', '[1,2]', '{"a":1,}']) {
    assert.equal(partialJson(text), undefined, text);
  }
  for (const text of ['{', '[', '[tru', '{"half a key']) assert.equal(parsedOrCut(text), text);
});

test('any JSON cut anywhere gives its beginning, and nothing throws', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), fc.nat(), (json, at) => {
      const cut = json.slice(0, at % (json.length + 1));
      const read = partialJson(cut);
      if (read !== undefined) JSON.stringify(read);
      partialJson(cut.replace(/"/g, "'"));
    }),
    { numRuns: 2000 },
  );
  assert.equal(partialJson('['.repeat(100_000)), undefined);
  assert.equal(partialJson(`"${'\\'.repeat(100_000)}`), '\\'.repeat(50_000));
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
  assert.deepEqual(Object.keys(partialJson('{"__proto__":{"polluted":1') as object), ['__proto__']);
});
