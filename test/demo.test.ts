import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const main = fileURLToPath(new URL('../collector/src/main.ts', import.meta.url));
const rule = {
  injectedSinkCall: '37b85ca9-a50f-44bd-97b3-193e79847afa',
  overrideInToolResult: '5a708197-cd6f-44d7-a0f8-bc1921000da2',
  personalDataLeaves: '0bfcafee-3ea7-47a4-adb1-3db29fa563f8',
};

interface DemoSpan {
  readonly run: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
}

interface DemoFinding extends DemoSpan {
  readonly ruleId: string;
  readonly level: string;
  readonly title: string;
  readonly reason: string;
  readonly agent: string;
  readonly evidence: { field: string; excerpt: string }[];
}

test('the demo finds the attack and nothing but the attack, and everything stands in ClickHouse', async (t) => {
  const temp = ownTemp(t);
  const { stdout } = await promisify(execFile)(process.execPath, [main, 'demo', '--json'], { env: environment(temp) });
  const result = JSON.parse(stdout);
  assert.deepEqual(result.missing, []);
  assert.equal(result.ok, true);
  const spans: DemoSpan[] = result.spans;
  const findings: DemoFinding[] = result.findings;

  const tooMuch = findings.filter(({ run, level }) => run === 'A' && !['informational', 'low'].includes(level));
  assert.deepEqual(tooMuch, []);
  const [refund] = findings.filter(({ ruleId }) => ruleId === rule.injectedSinkCall);
  assert.equal(refund?.level, 'high');
  assert.ok(refund.evidence.some(({ excerpt }) => excerpt.includes('payments_refund.order_id=a-1038')));
  const [post] = findings.filter(({ ruleId }) => ruleId === rule.personalDataLeaves);
  assert.equal(post?.level, 'high');
  assert.ok(post.evidence.some(({ excerpt }) => excerpt === 'orders-audit.example'));
  assert.ok(findings.some(({ ruleId }) => ruleId === rule.overrideInToolResult));
  for (const finding of findings) {
    assert.equal(finding.agent, 'support-agent');
    assert.ok(finding.reason && finding.title && finding.evidence.length > 0);
    const span = spans.find(({ spanId }) => spanId === finding.spanId);
    assert.equal(span?.traceId, finding.traceId, 'a finding points to a span that arrived');
  }
  for (const run of ['A', 'B']) {
    const its = spans.filter((span) => span.run === run);
    assert.equal(new Set(its.map(({ traceId }) => traceId)).size, 1, 'a run is one trace');
    assert.deepEqual(
      its.filter(({ parentSpanId }) => parentSpanId === '').map(({ name }) => name),
      ['invoke_agent support-agent'],
    );
  }
  assert.deepEqual(result.clickhouse.rows, { otel_traces: spans.length, findings: findings.length, cases: 1 });
  const [told, ...others] = result.cases;
  assert.deepEqual(others, []);
  assert.deepEqual([told.run, told.level], ['B', 'critical']);
  assert.equal(told.findings, findings.filter(({ run }) => run === 'B').length);
  assert.match(told.headline, /^support-agent called http\.post after reading “[^”]+”: /);
  assert.match(result.clickhouse.version, /^\d+\.\d+/);
  assert.deepEqual(readdirSync(temp), [], 'nothing is left behind');
});

test('in a pipe the demo prints both trees once, the findings and what to do next, without colours', async (t) => {
  const { stdout } = await promisify(execFile)(process.execPath, [main, 'demo'], { env: environment(ownTemp(t)) });
  assert.ok(!stdout.includes('\u001b'));
  assert.equal(stdout.match(/invoke_agent support-agent/g)?.length, 2);
  assert.match(stdout, /├─ tools\/call http\.post .* ▲ high {2}url=https:\/\/collect\.orders-audit\.example/);
  assert.match(stdout, /1 {2}HIGH {2}/);
  assert.match(stdout, /The case\n\n {2}CRITICAL {2}support-agent called http\.post after reading/);
  assert.match(stdout, /next:/);
});

test('Ctrl-C in the middle stops everything and leaves nothing behind', async (t) => {
  const temp = ownTemp(t);
  const child = spawn(process.execPath, [main, 'demo'], { env: environment(temp), stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  child.stdout.on('data', (chunk) => {
    text += chunk;
    if (text.includes('Run A')) child.kill('SIGINT');
  });
  const [code] = await once(child, 'close');
  assert.equal(code, 1, errors);
  assert.match(errors, /interrupted/);
  assert.ok(!text.includes('Run B'));
  assert.deepEqual(readdirSync(temp), []);
});

test('--keep leaves a collector that takes spans until it is told to stop', async (t) => {
  const temp = ownTemp(t);
  const dataDir = join(temp, 'data');
  const args = [main, 'demo', '--keep', '--data-dir', dataDir, '--listen', '127.0.0.1:0'];
  const child = spawn(process.execPath, args, { env: environment(temp), stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  const running = new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk) => {
      errors += chunk;
      if (errors.includes('Ctrl-C stops it')) resolve();
    });
    child.once('close', () => reject(new Error(`it ended early: ${errors}`)));
  });
  await running;
  const url = /http:\/\/127\.0\.0\.1:\d+\/v1\/traces/.exec(errors)?.[0];
  assert.ok(url, errors);
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"resourceSpans":[]}',
  });
  assert.equal(response.status, 200);
  assert.match(errors, /username {2}grafana, which may only read/);
  assert.ok(errors.includes(join(dataDir, 'clickhouse', 'grafana-password')));
  child.kill('SIGTERM');
  const [code] = await once(child, 'close');
  assert.equal(code, 0, errors);
  assert.ok(readdirSync(dataDir).length > 0, 'the data stays');
});

/** A folder for everything temporary, so that what is left behind can be seen. */
function ownTemp(t: { after(fn: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'spanwarden-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function environment(temp: string): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: temp };
}
