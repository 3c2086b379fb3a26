import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { repositoryRoot } from './repository.ts';

interface RuleFile {
  readonly id?: unknown;
  readonly tags?: unknown;
}

/** Which tags the rules of the repository have, as SQL with the columns RuleId and Tag: the database knows tags of findings alone. */
export function ruleTagsSql(): string {
  const rules = globSync('rules/**/*.yml', { cwd: repositoryRoot })
    .filter((path) => !path.endsWith('.test.yml'))
    .sort()
    .flatMap((path) => parseAllDocuments(readFileSync(join(repositoryRoot, path), 'utf8')))
    .map((document) => document.toJS() as RuleFile)
    .filter(({ id, tags }) => typeof id === 'string' && Array.isArray(tags) && tags.length > 0);
  const rows = rules.map(({ id, tags }) => `  (${quoted(id)}, [${(tags as unknown[]).map(quoted).join(', ')}])`);
  return `-- Tags of the rules that are shipped. Generated from rules/ by \`npm run generate\`; do not edit it by hand.
SELECT rule.1 AS RuleId, arrayJoin(rule.2) AS Tag FROM (SELECT arrayJoin([
${rows.join(',\n')}
]) AS rule)
`;
}

function quoted(value: unknown): string {
  return `'${String(value).replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
