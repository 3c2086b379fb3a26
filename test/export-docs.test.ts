import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { parse } from 'yaml';
import { resolveReferences } from '../collector/src/config/references.ts';
import { httpDestinationTypes } from '../collector/src/export/destinations/index.ts';
import { repositoryRoot } from '../scripts/repository.ts';
import { webhookKey } from './support/receivers/webhook.ts';

// Examples in docs/destinations.md are configs that work.

const page = readFileSync(join(repositoryRoot, 'docs/destinations.md'), 'utf8');
const examples = [...page.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, text]) => text ?? '');
const types = new Map(httpDestinationTypes.map((kind) => [kind.type as string, kind]));
const env = new Proxy<NodeJS.ProcessEnv>(
  {},
  {
    get: (_, name) => {
      if (/SIGNING_SECRET/.test(String(name))) return webhookKey;
      return /URL/.test(String(name)) ? 'https://hooks.example/T0/B0' : 'token-0123456789';
    },
  },
);

function destinationsIn(text: string): Record<string, { type: string }> {
  const resolved = resolveReferences(text, env);
  assert.equal(resolved.status, 'ok', JSON.stringify(resolved));
  return (parse(resolved.text) as { export: { destinations: Record<string, { type: string }> } }).export.destinations;
}

test('every example is a valid config', () => {
  for (const example of examples) {
    for (const [name, config] of Object.entries(destinationsIn(example))) {
      const kind = types.get(config.type);
      assert.ok(kind, `${name}: no type ${config.type}`);
      const checked = kind.schema.safeParse(config);
      assert.ok(checked.success, `${name}: ${checked.error?.message}`);
    }
  }
});

test('every type has a section with an example', () => {
  const shown = examples.flatMap((example) => Object.values(destinationsIn(example)).map(({ type }) => type));
  for (const type of types.keys()) {
    assert.ok(shown.includes(type), `no example of ${type}`);
    assert.match(page, new RegExp(`^## ${type}$`, 'm'));
  }
});
