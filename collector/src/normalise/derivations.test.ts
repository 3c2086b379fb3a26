import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourcesOf, watchedAttributes } from './derivations.ts';
import { taxonomy } from './taxonomy.ts';

test('facts come from attributes of the taxonomy', () => {
  const names = new Set(taxonomy.filter(({ kind }) => kind === 'attribute').map(({ name }) => name));
  for (const { name, kind } of taxonomy) {
    if (kind !== 'fact') continue;
    for (const source of sourcesOf(name) ?? []) assert.ok(names.has(source), `${name} comes from ${source}`);
  }
  assert.deepEqual(sourcesOf('spanwarden.text.user'), ['gen_ai.input.messages']);
  assert.deepEqual(sourcesOf('spanwarden.argument.order.id'), ['gen_ai.tool.call.arguments']);
});

test('what every span has, and facts of unknown origin, can always arrive', () => {
  for (const name of ['span.name', 'trace_id', 'parent_span_id', 'spanwarden.session']) {
    assert.equal(sourcesOf(name), undefined, name);
  }
});

test('attributes stand for themselves, resources and other spans for the attribute behind them', () => {
  assert.deepEqual(sourcesOf('shop.order.id'), ['shop.order.id', 'shop', 'shop.order']);
  assert.deepEqual(sourcesOf('resource.k8s.pod.name'), ['k8s.pod.name']);
  assert.deepEqual(sourcesOf('parent.spanwarden.text.user'), ['gen_ai.input.messages']);
  assert.ok(watchedAttributes.includes('gen_ai.tool.call.arguments') && watchedAttributes.includes('service.name'));
});
