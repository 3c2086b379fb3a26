import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { errorAttributes, requestAttributes, resultAttributes, spanName } from './mcp-attributes.ts';

const list = { method: 'tools/list' };

function hashOf(tool: Record<string, unknown>): unknown {
  const attributes = resultAttributes({}, list, { tools: [tool] }, 'metadata_only');
  return (attributes['spanwarden.tool.definition.hashes'] as string[])[0];
}

const tool = {
  name: 'pay',
  description: 'Pay a bill',
  inputSchema: { type: 'object', properties: { a: { type: 'string' }, b: { type: 'number' } } },
  annotations: { readOnlyHint: false, title: 'Pay' },
};

test('the hash of a definition does not depend on the order of keys', () => {
  const turned = {
    annotations: { title: 'Pay', readOnlyHint: false },
    inputSchema: { properties: { b: { type: 'number' }, a: { type: 'string' } }, type: 'object' },
    description: 'Pay a bill',
    name: 'pay',
  };
  assert.equal(hashOf(turned), hashOf(tool));
});

test('any change a model or a client would act on gives another hash', () => {
  const seen = new Set([hashOf(tool)]);
  for (const change of [
    { name: 'pay_' },
    { description: 'Pay a bill\u200b' },
    { inputSchema: { ...tool.inputSchema, required: ['a'] } },
    { annotations: { ...tool.annotations, readOnlyHint: true } },
  ]) {
    const hash = hashOf({ ...tool, ...change });
    assert.equal(seen.has(hash), false);
    seen.add(hash);
  }
});

test('entries that are no tools are left out', () => {
  const tools = [null, 7, {}, { name: 5 }, { name: 'ok' }];
  const attributes = resultAttributes({}, list, { tools }, 'full');
  assert.deepEqual(attributes['spanwarden.tool.definition.names'], ['ok']);
});

test('codes that the SDKs use for failures of their own are no answers', () => {
  assert.deepEqual(errorAttributes({ code: -32602 }).attributes, { 'rpc.response.status_code': '-32602' });
  assert.deepEqual(errorAttributes({ code: -32001 }), { attributes: {}, type: '-32001' });
  assert.deepEqual(errorAttributes(new Error('x')), { attributes: {}, type: undefined });
});

test('whatever a peer sends, names and attributes can be made of it', () => {
  const methods = fc.oneof(
    fc.constantFrom('tools/call', 'tools/list', 'initialize', 'prompts/get', 'resources/read', 'elicitation/create'),
    fc.string(),
  );
  const params = fc.option(fc.dictionary(fc.string(), fc.jsonValue()), { nil: undefined });
  const modes = fc.constantFrom('full', 'no_tool_content', 'metadata_only');
  fc.assert(
    fc.property(methods, params, fc.jsonValue(), modes, (method, given, result, mode) => {
      const request = { method, params: given };
      assert.equal(typeof spanName(request), 'string');
      for (const attributes of [requestAttributes({}, request, mode), resultAttributes({}, request, result, mode)]) {
        for (const value of Object.values(attributes))
          assert.ok(value === undefined || typeof value !== 'object' || Array.isArray(value));
      }
    }),
  );
});
