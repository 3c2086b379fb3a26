import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from './config/load.ts';
import { createKeyBudget, keyWarnings } from './key-gauges.ts';
import { createMetrics } from './metrics.ts';
import { createFieldTable } from './model/fields.ts';
import { taxonomy } from './normalise/taxonomy.ts';
import { KeyPlace } from './store/rows/key-budget.ts';

test('the budget is what the config says, names of the taxonomy never count, and metrics and readiness tell what is over', async () => {
  const config = loadConfig({ file: 'test.yaml', text: 'limits: { attribute_keys: 150 }', env: {} });
  const fields = createFieldTable();
  const metrics = createMetrics();
  const budget = createKeyBudget(config, fields, metrics);
  const service = budget.of('shop');
  /** How many of the names lose their key. */
  const over = (names: readonly string[]) => {
    const ids = names.map((name) => fields.internBytes(Buffer.from(name), 0, Buffer.byteLength(name)));
    const shape = { fields: Int32Array.from(ids), order: Uint16Array.from(names.keys()) };
    return service.split(KeyPlace.span, shape).over.length;
  };
  assert.equal(over(taxonomy.map(({ name }) => name)), 0);
  assert.equal(over(Array.from({ length: 150 }, (_, i) => `own.${i}`)), 0);
  assert.deepEqual(keyWarnings(budget), []);
  assert.equal(over(['own.0', 'another', 'one more']), 2);
  budget.overflowed.total += 5;
  const text = await metrics.registry.metrics();
  for (const line of [
    'spanwarden_store_attribute_keys 150',
    'spanwarden_store_full_services 1',
    'spanwarden_store_overflowed_attributes_total{reason="service"} 2',
    'spanwarden_store_overflowed_attributes_total{reason="total"} 5',
  ]) {
    assert.ok(text.includes(`${line}\n`), line);
  }
  assert.match(keyWarnings(budget).join(), /^7 attributes are stored in spanwarden\.overflow: 1 services/);
});
