import assert from 'node:assert/strict';
import test from 'node:test';
import { deadFiles } from './dead-files.ts';
import { layerProblems } from './layers.ts';
import { leftovers } from './leftovers.ts';
import { brokenLinks, readmeProblems } from './readmes.ts';
import { fileLinesMax, functionLinesMax, longFunctions, sizeProblems } from './sizes.ts';
import { blank, importsOf, type SourceFile } from './source.ts';
import { errorPageProblems, exitProblems, lockfileProblems, machinePaths, ruleTestProblems } from './together.ts';

function file(path: string, text: string): SourceFile {
  return { path, text };
}

test('blank hides comments and strings, keeps code and positions', () => {
  const all = { comments: true, strings: true };
  assert.equal(blank('a // b\nc', all), 'a     \nc');
  assert.equal(blank("x = 'it\\'s'; y", all), `x = ${' '.repeat(7)}; y`);
  assert.equal(blank('a /* {\n} */ b', all), `a     \n${' '.repeat(4)} b`);
  assert.equal(blank('`t ${a + `u ${b}` } {`;c', all).replace(/ +/g, ' ').trim(), 'a + b ;c');
  assert.equal(blank('return /[/{]/.test(a) / 2 / b', all), `return ${' '.repeat(6)}.test(a) / 2 / b`);
  assert.equal(blank("x = '// no comment'", { comments: true }), "x = '// no comment'");
});

test('importsOf finds every kind of import and none in comments', () => {
  const text = `
import a from './a.ts';
import type { B, C as D } from '../b.ts';
import {
  E,
} from "node:fs";
import './side.ts';
export * from './f.ts';
export { g } from './g.ts';
const h = await import('./h.ts');
// import x from './x.ts';
const text = 'hello';
`;
  assert.deepEqual(importsOf(text), ['./a.ts', '../b.ts', 'node:fs', './side.ts', './f.ts', './g.ts', './h.ts']);
});

test('layers: a stage may import itself and model, nothing else', () => {
  const check = (path: string, text: string) => layerProblems([file(`collector/src/${path}`, text)]).length;
  assert.equal(check('spool/a.ts', "import { x } from './b.ts'; import { y } from '../model/c.ts';"), 0);
  assert.equal(check('spool/a.ts', "import type { x } from '../store/b.ts';"), 1);
  assert.equal(check('spool/a.ts', "const { x } = await import('../cli/b.ts');"), 1);
  assert.equal(check('spool/deep/a.ts', "import { x } from '../../metrics.ts';"), 1);
  assert.equal(check('spool/a.ts', "import { x } from '../../../instrumentation/src/a.ts';"), 1);
  assert.equal(check('spool/a.test.ts', "import { x } from '../store/b.ts';"), 0);
  assert.equal(check('pipeline.ts', "import { x } from './store/b.ts';"), 0);
  assert.equal(check('detect/a.ts', "import { x } from '../text/b.ts';"), 0);
  assert.equal(check('text/a.ts', "import { x } from '../detect/b.ts';"), 1);
  assert.equal(check('text/a.ts', "import fs from 'node:fs';"), 1);
  assert.equal(check('model/a.ts', "import { x } from '../text/b.ts';"), 1);
});

test('layers: model imports nothing, pure stages nothing that reaches outside', () => {
  const check = (path: string, text: string) => layerProblems([file(`collector/src/${path}`, text)]).length;
  assert.equal(check('model/a.ts', "import { z } from 'zod';"), 1);
  assert.equal(check('model/a.ts', "import { x } from '../detect/b.ts';"), 1);
  assert.equal(check('model/a.ts', "import { x } from './b.ts';"), 0);
  assert.equal(check('decode/a.ts', "import fs from 'node:fs';"), 1);
  assert.equal(check('detect/a.ts', "import { parse } from 'yaml';"), 0);
  assert.equal(check('detect/a.ts', 'const now = Date.now();'), 1);
  assert.equal(check('detect/a.ts', '// not Date.now(): the clock is passed in'), 0);
  assert.equal(check('spool/a.ts', 'const now = Date.now();'), 0);
});

test('sizes: long files, long functions of every form, but no long classes or objects', () => {
  const filler = 'a();\n'.repeat(functionLinesMax);
  const lengths = (text: string) => longFunctions(text).length;
  assert.equal(sizeProblems([file('a.ts', 'a();\n'.repeat(fileLinesMax))]).length, 0);
  assert.equal(sizeProblems([file('a.ts', 'a();\n'.repeat(fileLinesMax + 1))]).length, 1);
  assert.equal(lengths(`function f(a: { b: string }): void {\n${filler}}`), 1);
  assert.equal(lengths(`const f = async () => {\n${filler}};`), 1);
  assert.equal(lengths(`class A {\n  async *m(x = 1): Promise<string> {\n${filler}  }\n}`), 1);
  assert.equal(lengths(`test('x', async () => {\n${filler}});`), 1);
  assert.equal(lengths(`describe('x', () => {\n${filler}});`), 0);
  assert.equal(lengths(`class A extends B {\n${filler}}`), 0);
  assert.equal(lengths(`const o = {\n${'a: 1,\n'.repeat(80)}};`), 0);
  assert.equal(lengths(`function f() {\n${'a();\n'.repeat(functionLinesMax - 2)}}`), 0);
  assert.equal(lengths(`function f() {\n  if (x) {\n${filler}}\n}`), 1);
  // A function made of small functions is as long as what is its own.
  assert.equal(lengths(`function f() {\n${`const g = () => {\n${'a();\n'.repeat(30)}};\n`.repeat(3)}}`), 0);
});

test('dead files: unused sources, and those that only tests use', () => {
  const files = [
    file('src/main.ts', "import './used.ts'; fork(new URL('./child.ts', import.meta.url));"),
    file('src/used.ts', ''),
    file('src/child.ts', ''),
    file('src/only-tested.ts', ''),
    file('src/only-tested.test.ts', "import './only-tested.ts';"),
    file('src/dead.ts', "import './dead.ts';"),
    file('test/support/helper.ts', ''),
    file('test/a.test.ts', "import './support/helper.ts';"),
    file('package.json', '{"bin": "dist/main.js"}'),
    file('src/README.md', 'see dead.ts; run `node bench/idle.ts`'),
    file('bench/idle.ts', ''),
  ];
  assert.deepEqual(deadFiles(files), ['src/only-tested.ts: nothing uses it', 'src/dead.ts: nothing uses it']);
});

test('leftovers: notes to oneself, debug output, switched-off tests', () => {
  const note = 'TO' + 'DO';
  const text = `// ${note}: later\nconsole.log(1);\nconsole.error(1);\ntest.only('x');\n  debugger;\ntest('x', { skip: true });\n'console.log'`;
  assert.deepEqual(leftovers([file('a.ts', text)]), [
    `a.ts:1: ${note}`,
    'a.ts:2: console output',
    'a.ts:4: a focused or skipped test',
    'a.ts:5: a debugger statement',
    'a.ts:6: a focused or skipped test',
  ]);
  assert.equal(leftovers([file('a.md', `${note} write this`)]).length, 1);
});

test('readmes: the list equals the folder', () => {
  const paths = [
    'collector/src/x/a.ts',
    'collector/src/x/a.test.ts',
    'collector/src/x/sub/b.ts',
    'collector/src/x/README.md',
  ];
  const list = (text: string) =>
    readmeProblems(paths.slice(0, 2).concat(paths[3]!), [file('collector/src/x/README.md', text)]);
  assert.deepEqual(list('# x\n\n- [a.ts](a.ts): the a\n'), []);
  assert.deepEqual(list('# x\n\n- [b.ts](b.ts): gone\n'), [
    'collector/src/x/README.md: does not name a.ts',
    'collector/src/x/README.md: names b.ts, which does not exist',
  ]);
  assert.deepEqual(list('# x\n'), ['collector/src/x: has no README.md that lists its files']);
  assert.deepEqual(
    readmeProblems(paths, [file('collector/src/x/README.md', '- [a.ts](a.ts): a\n- [sub](sub/): b\n')]),
    ['collector/src/x/sub: has no README.md that lists its files'],
  );
  assert.deepEqual(readmeProblems(['docs/a.md'], []), []);
});

test('links: only those that lead nowhere, and none in code', () => {
  const text = '[a](a.md#part) [b](../b.md) [c](https://x) [d](gone.md) `[e](gone.md)`\n```\n[f](gone.md)\n```\n';
  assert.deepEqual(brokenLinks(['docs/a.md', 'b.md'], [file('docs/p.md', text)]), [
    'docs/p.md: links to gone.md, which does not exist',
  ]);
});

test('together: rules and tests, codes and page, lockfile, paths, exits', () => {
  assert.deepEqual(ruleTestProblems(['rules/a.yml', 'rules/a.test.yml', 'rules/b/c.yml', 'rules/d.test.yml']), [
    'rules/b/c.yml: rules/b/c.test.yml is missing',
    'rules/d.test.yml: rules/d.yml is missing',
  ]);
  const page = '| `SW_A` | 400 | x |\n| `SW_B` | – | x |\n| `SW_GONE` | 500 | x |\n';
  assert.deepEqual(errorPageProblems({ SW_A: 400, SW_B: 503, SW_C: 0 }, page), [
    'docs/errors.md: SW_B is answered with HTTP 503',
    'docs/errors.md: does not explain SW_C',
    'docs/errors.md: SW_GONE is unknown',
  ]);
  const lockfile = { packages: { a: { resolved: 'https://x/a.tgz' }, b: { resolved: 'collector' }, c: {} } };
  assert.deepEqual(lockfileProblems(JSON.stringify(lockfile)), ['package-lock.json: a names its download address']);
  assert.equal(machinePaths([file('a.ts', 'x\n/somewhere/repo/b')], ['/somewhere/repo']).length, 1);
  assert.equal(
    exitProblems([file('a.ts', 'process.exit(1)'), file('main.ts', 'process.exit(1)')], ['main.ts']).length,
    1,
  );
});
