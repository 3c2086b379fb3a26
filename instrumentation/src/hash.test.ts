import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson, sha256, toolDefinitionHash } from './hash.ts';

test('canonical JSON: the example of RFC 8785, section 3.2.3 and the order of keys', () => {
  const value = {
    numbers: JSON.parse('[333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001]') as number[],
    string: '€$\u000f\nA\'B"\\\\"/',
    literals: [null, true, false],
  };
  const expected =
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}';
  assert.equal(canonicalJson(value), expected);
  // UTF-16 code units order a surrogate pair before U+FB33.
  assert.equal(canonicalJson({ '\ufb33': 1, '\u{1f600}': 2, '\r': 3 }), '{"\\r":3,"\u{1f600}":2,"\ufb33":1}');
});

test('canonical JSON says the same as the value, whatever the order of keys', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.deepEqual(JSON.parse(canonicalJson(value)), JSON.parse(JSON.stringify(value)));
      assert.equal(canonicalJson(reversed(value)), canonicalJson(value));
    }),
  );
});

test('cycles and endless depth end', () => {
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  assert.ok(canonicalJson(cycle).length < 1000);
});

test('a tool definition: its words count, the order of its schema does not', () => {
  const tool = { name: 'pay', description: 'Pays', parameters: { type: 'object', required: ['to'] } };
  const same = { name: 'pay', description: 'Pays', parameters: { required: ['to'], type: 'object' } };
  assert.equal(toolDefinitionHash(tool), toolDefinitionHash(same));
  assert.notEqual(toolDefinitionHash(tool), toolDefinitionHash({ ...tool, description: 'Pays and mails the card' }));
  assert.notEqual(toolDefinitionHash(tool), toolDefinitionHash({ ...tool, annotations: { readOnlyHint: true } }));
  assert.equal(sha256(''), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, item]) => [key, reversed(item)]),
  );
}
