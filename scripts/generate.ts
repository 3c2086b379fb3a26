// `npm run generate`: writes the files that are made from sources. They are committed; `npm run check` compares them.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { configJsonSchema } from '../collector/src/config/schema.ts';
import { grafanaFiles } from '../grafana/generate.ts';
import { configurationPage, editorSchema } from './configuration-page.ts';
import { confusablesSource } from './confusables.ts';
import { formatsPage } from './formats-page.ts';
import { repositoryRoot } from './repository.ts';
import { ruleFileSchema, ruleTestSchema } from './rule-schema.ts';
import { ruleTagsSql } from './rule-tags.ts';
import { siemFiles } from './siem-content.ts';
import { taxonomyPage } from './taxonomy-page.ts';

/** Every generated file: its path in the repository and what belongs into it. */
const generators: Readonly<Record<string, () => string>> = {
  'docs/configuration.md': () => configurationPage(configJsonSchema()),
  'docs/spanwarden.schema.json': () => `${JSON.stringify(editorSchema(configJsonSchema()), null, 2)}\n`,
  'docs/taxonomy.md': taxonomyPage,
  'docs/rule.schema.json': () => `${JSON.stringify(ruleFileSchema(), null, 2)}\n`,
  'docs/rule-test.schema.json': () => `${JSON.stringify(ruleTestSchema(), null, 2)}\n`,
  'collector/src/text/confusables.ts': confusablesSource,
  'docs/formats.md': formatsPage,
  ...siemFiles,
  // Dashboards read it.
  'grafana/queries/coverage/rule-tags.sql': ruleTagsSql,
  ...grafanaFiles,
};

if (import.meta.main) {
  // One after the other, as some are made from others.
  for (const path of Object.keys(generators)) {
    if (!isStale(path)) continue;
    mkdirSync(dirname(join(repositoryRoot, path)), { recursive: true });
    writeFileSync(join(repositoryRoot, path), generators[path]?.() ?? '');
    process.stderr.write(`wrote ${path}\n`);
  }
}

/** The generated files that are missing or differ from what their sources say now. */
export function staleFiles(): string[] {
  return Object.keys(generators).filter(isStale);
}

function isStale(path: string): boolean {
  const file = join(repositoryRoot, path);
  return !existsSync(file) || readFileSync(file, 'utf8') !== generators[path]?.();
}
