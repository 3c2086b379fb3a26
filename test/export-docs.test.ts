import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { parse } from 'yaml';
import { exportConfigSchema } from '../collector/src/export/config.ts';
import { destinationTypes } from '../collector/src/export/destinations/index.ts';
import { repositoryRoot } from '../scripts/repository.ts';
import { serviceAccount } from './support/receivers/secops.ts';
import { webhookKey } from './support/receivers/webhook.ts';

// Examples in docs/destinations.md are configs that work.

const page = readFileSync(join(repositoryRoot, 'docs/destinations.md'), 'utf8');
const examples = [...page.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, text]) => text ?? '');
const types = new Map<string, (typeof destinationTypes)[number]>(destinationTypes.map((kind) => [kind.type, kind]));

/** What stands in place of a reference to the environment or a file, as none of them is on this machine. */
function standIn(reference: string): string {
  if (reference.includes('SIGNING_SECRET')) return webhookKey;
  if (reference.includes('service-account')) return serviceAccount('https://oauth2.googleapis.com');
  return reference.includes('URL') ? 'https://hooks.example/T0/B0' : '0123456789abcdef0123456789abcdef';
}

interface Example {
  readonly name: string;
  readonly config: { readonly type: string };
}

const shown = examples.flatMap((text): Example[] => {
  const config = parse(text, (_key, value: unknown) =>
    typeof value === 'string' ? value.replace(/\$\{[^}]+\}/g, standIn) : value,
  ) as { export: { destinations: Record<string, { type: string }> } };
  return Object.entries(config.export.destinations).map(([name, own]) => ({ name, config: own }));
});

test('every example is a valid config', () => {
  for (const { name, config } of shown) {
    const kind = types.get(config.type);
    assert.ok(kind, `${name}: no type ${config.type}`);
    const checked = exportConfigSchema.safeParse({ destinations: { [name]: config } });
    assert.ok(checked.success, `${name}: ${checked.error?.message}`);
  }
});

test('every type has a section with an example', () => {
  for (const type of types.keys()) {
    assert.ok(
      shown.some(({ config }) => config.type === type),
      `no example of ${type}`,
    );
    assert.match(page, new RegExp(`^## ${type}$`, 'm'));
  }
});
