import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import type { Command } from 'commander';
import { createProgram } from './program.ts';

const main = join(import.meta.dirname, '..', 'main.ts');
const token = 'a-token-nobody-may-see';

/** Runs a command line in an empty folder that holds the given config. */
function run(args: readonly string[], config?: string): { code: number | null; stdout: string; stderr: string } {
  const cwd = mkdtempSync(join(tmpdir(), 'spanwarden-cli-'));
  try {
    if (config !== undefined) writeFileSync(join(cwd, 'spanwarden.yaml'), config);
    const env = { ...process.env, TOKEN: token, FORCE_COLOR: '0' };
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { cwd, env, encoding: 'utf8' });
    return { code: status, stdout, stderr };
  } finally {
    rmSync(cwd, { recursive: true });
  }
}

test('help, version and an unknown command', () => {
  const help = run(['--help']);
  assert.equal(help.code, 0);
  for (const command of ['serve', 'demo', 'findings', 'rules', 'config', 'version']) {
    assert.match(help.stdout, new RegExp(`^ {2}${command}\\b`, 'm'));
  }
  const versions = JSON.parse(run(['version', '--json']).stdout);
  assert.equal(versions.node, process.versions.node);
  assert.match(versions.spanwarden, /^\d+\.\d+\.\d+/);
  const unknown = run(['sevre']);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /unknown command 'sevre'\n.*serve/s);
  assert.equal(unknown.stdout, '');
});

test('the help of every command names defaults as somebody would type them', async () => {
  const helps: string[] = [];
  const walk = (command: Command): void => {
    helps.push(command.helpInformation());
    command.commands.forEach(walk);
  };
  walk(await createProgram(['--help']));
  assert.ok(helps.length > 40, `${helps.length} commands`);
  for (const help of helps)
    assert.doesNotMatch(help, /default:\s+(\d{10,}|\[\]|\{\})|\(default: [^()]*\) \(default/, help);
});

test('config check: 0 when right, 2 with every problem when wrong, as text and as JSON', () => {
  const right = run(['config', 'check'], 'log: {level: warn}\n');
  assert.deepEqual([right.code, right.stdout], [0, 'spanwarden.yaml: ok\n']);
  const wrong = 'recieve: {}\nlog: {level: loud}\n';
  const text = run(['config', 'check'], wrong);
  assert.equal(text.code, 2);
  assert.match(
    text.stderr,
    /^2 errors:\nspanwarden\.yaml:1:1: unknown key "recieve" .*\n {2}Did you mean receive\?\nspanwarden\.yaml:2:14: /,
  );
  const json = run(['config', 'check', '--json'], wrong);
  const { ok, problems } = JSON.parse(json.stdout);
  assert.deepEqual([json.code, json.stderr, ok, problems.length], [2, '', false, 2]);
  assert.equal(run(['-c', 'missing.yaml', 'config', 'check']).code, 2);
});

test('config print shows defaults and hides secrets', () => {
  const config =
    'receive: {bearer_token: "${env:TOKEN}"}\nclickhouse: {url: "http://localhost:1", password: "${env:TOKEN}"}\n';
  for (const format of [[], ['--json']]) {
    const { code, stdout, stderr } = run(['config', 'print', ...format], config);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /127\.0\.0\.1:4318/);
    assert.equal(stdout.match(/\[REDACTED\]/g)?.length, 2);
    assert.ok(!stdout.includes(token));
  }
});

test('serve refuses a wrong config and wrong rules before it touches anything', () => {
  const config = run(['serve'], 'log: {level: loud}\n');
  assert.equal(config.code, 2);
  assert.match(config.stderr, /^error: spanwarden\.yaml:1:14: log\.level: .*SW_CONFIG_VALUE/);
  const rules = run(
    ['serve'],
    'detect: {rules: [spanwarden.yaml]}\nreceive: {http: {listen: "127.0.0.1:0"}, grpc: {listen: off}}\n',
  );
  assert.equal(rules.code, 2);
  assert.match(rules.stderr, /spanwarden\.yaml:1:1: .*SW_RULE_/);
});

test('findings without a collector say what to start', () => {
  const { code, stderr } = run(['findings', 'list']);
  assert.equal(code, 3);
  assert.match(stderr, /SW_CLICKHOUSE_UNREACHABLE\)\n {2}Start it with: spanwarden serve/);
  const wrong = run(['findings', 'list', '--level', 'severe', '--since', 'x']);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /Write one of informational, low, medium, high, critical/);
});

test('findings with a ClickHouse that is down say where to look', () => {
  const { code, stderr } = run(['findings', 'list'], 'clickhouse: {url: "http://127.0.0.1:1"}\n');
  assert.equal(code, 3);
  assert.match(stderr, /did not answer: .*ECONNREFUSED.*SW_CLICKHOUSE_UNREACHABLE\)\n {2}Check clickhouse\.url/);
});
