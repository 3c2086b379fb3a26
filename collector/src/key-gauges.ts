import { Counter } from 'prom-client';
import type { Config } from './config/schema.ts';
import type { Metrics } from './metrics.ts';
import type { FieldTable } from './model/fields.ts';
import { taxonomy } from './normalise/taxonomy.ts';
import { KeyBudget } from './store/rows/key-budget.ts';

/** The budget of attribute keys, with the names that always stay: those of the taxonomy, and what rules and tables ask for. */
export function createKeyBudget({ limits }: Config, fields: FieldTable, metrics: Metrics): KeyBudget {
  for (const { name } of taxonomy) fields.intern(name);
  const budget = new KeyBudget({ fields, keysMax: limits.attribute_keys });
  metrics.gauge('spanwarden_store_attribute_keys', 'Attribute keys that services have, counted.', () => budget.keys);
  metrics.gauge(
    'spanwarden_store_full_services',
    'Services that have as many attribute keys as limits.attribute_keys allows.',
    () => budget.fullServices,
  );
  new Counter({
    name: 'spanwarden_store_overflowed_attributes_total',
    help: 'Attributes stored in spanwarden.overflow: their service has too many keys, or all services together.',
    labelNames: ['reason'],
    registers: [metrics.registry],
    collect() {
      this.reset();
      for (const [reason, number] of Object.entries(budget.overflowed)) this.inc({ reason }, number);
    },
  });
  return budget;
}

/** What readiness says about services that have too many keys. Their names stay out of it: strangers choose them. */
export function keyWarnings(budget: KeyBudget): readonly string[] {
  const { service, total } = budget.overflowed;
  if (service + total === 0) return [];
  return [
    `${service + total} attributes are stored in spanwarden.overflow: ${budget.fullServices} services have too many keys; ` +
      'see docs/operations.md',
  ];
}
