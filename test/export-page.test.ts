import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { loadConfig } from '../collector/src/config/load.ts';
import { placeholderNames } from '../collector/src/export/fields.ts';
import { repositoryRoot } from '../scripts/repository.ts';

// docs/export.md says what the code does.

const page = readFileSync(join(repositoryRoot, 'docs/export.md'), 'utf8');

test('the example is a config that works', () => {
  const [, text = ''] = /^```yaml\n([\s\S]*?)^```/m.exec(page) ?? [];
  const env = { SPLUNK_HEC_TOKEN: '0123456789abcdef', SLACK_WEBHOOK_URL: 'https://hooks.example/T0/B0' };
  assert.deepEqual(Object.keys(loadConfig({ text, env }).export.destinations), ['siem', 'oncall']);
});

test('it names exactly the placeholders that there are', () => {
  const named = [...page.matchAll(/`\{([a-z_]+)\}`/g)].map(([, name]) => name);
  assert.deepEqual(named.toSorted(), [...placeholderNames].toSorted());
});
