import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { errorCodes } from '../collector/src/model/errors.ts';
import { repositoryFiles, repositoryRoot } from '../scripts/repository.ts';
import { deadFiles } from './tidy/dead-files.ts';
import { layerProblems } from './tidy/layers.ts';
import { leftovers } from './tidy/leftovers.ts';
import { brokenLinks, readmeProblems } from './tidy/readmes.ts';
import { sizeProblems } from './tidy/sizes.ts';
import { isTest, type SourceFile } from './tidy/source.ts';
import { errorPageProblems, exitProblems, lockfileProblems, machinePaths, ruleTestProblems } from './tidy/together.ts';

// Reads the repository as text. That each checker can fail is shown in tidy/*.test.ts.

const paths = repositoryFiles();
const texts = paths
  .filter((path) => /\.(ts|mts|mjs|js|json|md|ya?ml|sql|sh|xml)$|(^|\/)(run|LICENSE)$/.test(path))
  .filter((path) => !/(^|\/)fixtures\/|\/dashboards\/[^/]*\.json$/.test(path))
  .map((path): SourceFile => ({ path, text: readFileSync(join(repositoryRoot, path), 'utf8') }));
const sources = texts.filter(({ path }) => /\.(ts|mts|mjs)$/.test(path));
const pages = texts.filter(({ path }) => path.endsWith('.md'));

/** Files that are a process of their own, and so may end it. */
const processes = ['collector/src/main.ts', 'collector/src/demo/agent.ts', 'scripts/run.mjs'];

function textOf(path: string): string {
  return texts.find((file) => file.path === path)?.text ?? '';
}

function tidy(problems: readonly string[]): void {
  assert.ok(problems.length === 0, `\n${problems.join('\n')}`);
}

test('stages do not import each other, model imports nothing, pure stages stay pure', () =>
  tidy(layerProblems(sources)));
test('files and functions can be read in one go', () => tidy(sizeProblems(sources)));
test('every source is used', () => tidy(deadFiles(texts)));
test('nothing is left lying about', () => tidy(leftovers(texts)));
test('README lists equal their folders', () => {
  tidy(
    readmeProblems(
      paths,
      pages.filter(({ path }) => path.endsWith('README.md')),
    ),
  );
});
test('links between pages lead somewhere', () => tidy(brokenLinks(paths, pages)));
test('every rule has a test beside it', () => tidy(ruleTestProblems(paths)));
test('docs/errors.md explains exactly the codes there are', () => {
  tidy(errorPageProblems(errorCodes, textOf('docs/errors.md')));
});
test('no path of one machine', () => {
  const parent = dirname(repositoryRoot);
  const places = [repositoryRoot, ...(parent === '/' || parent === tmpdir() ? [] : [`${parent}/`])];
  tidy(machinePaths(texts, places));
});
test('the lockfile names no download address', () => tidy(lockfileProblems(textOf('package-lock.json'))));
test('only a process of its own ends itself', () => {
  tidy(
    exitProblems(
      sources.filter(({ path }) => !isTest(path) && path !== 'test/tidy/together.ts'),
      processes,
    ),
  );
});
