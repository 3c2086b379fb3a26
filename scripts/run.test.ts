import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';

const runner = join(import.meta.dirname, 'run.mjs');
const folder = mkdtempSync(join(tmpdir(), 'spanwarden-run-'));
const script = join(folder, 'main.ts');

after(() => rmSync(folder, { recursive: true }));

function run(text: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
  writeFileSync(script, text);
  return spawnSync(process.execPath, [runner, script, ...args], { encoding: 'utf8', env: { ...process.env, ...env } });
}

test('the script runs under the pinned Node with its arguments, and stdout is its own', () => {
  const text = 'const list: string[] = [process.version, ...process.argv.slice(2)]; process.stdout.write(list.join());';
  const { stdout, status } = run(text, ['--json', 'a b', '']);
  assert.match(stdout, /^v24\.\d+\.\d+,--json,a b,$/);
  assert.equal(status, 0);
});

test('the exit code is the script’s', () => {
  assert.equal(run('process.exit(3)').status, 3);
  assert.equal(run('throw new Error("x")').status, 1);
  assert.equal(run('process.kill(process.pid, "SIGKILL")').status, 137);
  assert.equal(spawnSync(process.execPath, [runner]).status, 2);
});

test('--json and --keep that npm took for itself reach the script', () => {
  const text = 'process.stdout.write(process.argv.slice(2).join());';
  assert.equal(run(text, ['demo'], { npm_config_json: 'true', npm_config_keep: 'true' }).stdout, 'demo,--json,--keep');
  assert.equal(run(text, ['--json'], { npm_config_json: 'true' }).stdout, '--json');
});

test('signals are passed on', async () => {
  writeFileSync(
    script,
    'process.on("SIGTERM", () => process.exit(7)); setInterval(() => {}, 1000); console.error("up");',
  );
  const child = spawn(process.execPath, [runner, script], { stdio: ['ignore', 'ignore', 'pipe'] });
  await once(createInterface({ input: child.stderr }), 'line');
  child.kill('SIGTERM');
  const [code] = await once(child, 'exit');
  assert.equal(code, 7);
});
