import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { version } from '../version.ts';
import { isFirstPreload, loadedFiles } from './loaded.ts';
import { packageDirectories } from './resolve.ts';
import { canWatch } from './watch.ts';

const home = process.cwd();
const script = process.argv[1];
let directory = '';

beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'spanwarden-load-')));
});
afterEach(() => {
  process.chdir(home);
  if (script !== undefined) process.argv[1] = script;
  rmSync(directory, { recursive: true, force: true });
});

test('load hooks are trusted from the Node versions on in which they work', () => {
  const trusted = ['22.22.3', '22.23.0', '24.11.1', '24.21.0', '25.1.0', '26.0.0'];
  const not = ['22.15.0', '22.22.2', '23.11.0', '24.0.0', '24.11.0', '25.0.0'];
  assert.deepEqual(
    trusted.map((one) => canWatch(one)),
    trusted.map(() => true),
  );
  assert.deepEqual(
    not.map((one) => canWatch(one)),
    not.map(() => false),
  );
});

test('nothing can be loaded before us only when the first preload is ours', () => {
  const ours = '@spanwarden/instrumentation/register';
  assert.equal(isFirstPreload(['--import', ours], ''), true);
  assert.equal(isFirstPreload(['--enable-source-maps', `--import=${ours}`, '--import', 'tsx'], ''), true);
  assert.equal(
    isFirstPreload(['--import', 'file:///app/node_modules/@spanwarden/instrumentation/dist/register.js'], ''),
    true,
  );
  assert.equal(isFirstPreload([], `--max-old-space-size=99 --require ${ours}`), true);
  assert.equal(isFirstPreload(['--import', ours], '--import tsx'), false);
  assert.equal(isFirstPreload(['--import', './register.mjs', '--import', ours], ''), false);
  assert.equal(isFirstPreload([], ''), false);
});

test('the files of this process, ES modules among them', () => {
  const files = loadedFiles() ?? [];
  assert.ok(files.includes(import.meta.filename));
  assert.ok(files.includes(join(import.meta.dirname, 'resolve.ts')));
});

test('copies on disk: beside the script, above it, nested, aliased, in pnpm’s store; each once', () => {
  const place = (path: string, text = '{"name":"openai","version":"7.0.0"}'): string => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
    return dirname(join(directory, path));
  };
  const expected = [
    place('node_modules/openai/package.json'),
    place('node_modules/gpt/package.json'),
    place('node_modules/some/node_modules/openai/package.json'),
    place('node_modules/@scope/other/node_modules/openai/package.json'),
    place('node_modules/.pnpm/openai@7.0.0/node_modules/openai/package.json'),
    place('app/node_modules/openai/package.json'),
  ];
  place('package.json', '{"dependencies":{"gpt":"npm:openai@^7"}}');
  place('node_modules/unrelated/package.json');
  place('app/main.mjs', '');
  process.chdir(directory);
  process.argv[1] = join(directory, 'app/main.mjs');
  const found = packageDirectories(['openai']).filter((path) => path.startsWith(directory));
  assert.deepEqual(found.sort(), expected.sort());
});

test('the version we tell is the one of package.json', () => {
  const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
    version: string;
  };
  assert.equal(version, manifest.version);
});
