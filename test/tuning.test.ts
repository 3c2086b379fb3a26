import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { otlpJson } from '../collector/src/testing/otlp.ts';
import { cliOf } from './support/cli.ts';
import { CollectorProcess, createHome, eventually } from './support/collector-process.ts';

// Rules while they run, as their author sees them: counted, reloaded, marked, suppressed, all from the command line.

const home = createHome();
const rules = join(home.directory, 'rules');
const ruleFile = join(rules, 'refund.yml');
let collector: CollectorProcess;

const refund = `title: Refund
id: 3f2f2a54-7ed9-4d3f-a8d8-6f1f6d9f2b10
name: refund
level: high
description: A refund was paid.
tags: [owasp.asi02]
logsource: {product: ai_agent, category: tool}
detection:
  paid:
    gen_ai.tool.name: payments.refund
    spanwarden.argument.reason|exists: true
  condition: paid
`;
const neverSeen = `title: Budget
id: 4f2f2a54-7ed9-4d3f-a8d8-6f1f6d9f2b10
name: budget
description: Too much was spent.
tags: [owasp.asi02]
logsource: {product: ai_agent, category: tool}
detection:
  spent:
    shop.budget.left|lt: 0
  condition: spent
`;

before(async () => {
  mkdirSync(rules);
  writeFileSync(ruleFile, refund);
  writeFileSync(join(rules, 'budget.yml'), neverSeen);
  const detect = `detect: { shipped_rules: false, rules: [${JSON.stringify(rules)}], stats_interval_ms: 200 }\n`;
  writeFileSync(home.configFile, `${readFileSync(home.configFile, 'utf8')}${detect}`);
  collector = await CollectorProcess.start(home);
});

after(async () => {
  await collector.end('SIGTERM');
  home.remove();
});

const spanwarden = cliOf(home);

let sent = 0;

async function send(agent: string, reason: string): Promise<string> {
  const traceId = (++sent).toString(16).padStart(32, 'a');
  const span = {
    traceId,
    name: 'execute_tool payments.refund',
    attributes: {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'payments.refund',
      'gen_ai.agent.name': agent,
      'gen_ai.tool.call.arguments': JSON.stringify({ reason, amount: 20 }),
      'unneeded.attribute': 'x',
    },
  };
  const response = await fetch(`${collector.url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(otlpJson([span])),
  });
  assert.equal(response.status, 200);
  return traceId;
}

interface Found {
  readonly id: string;
  readonly traceId: string;
}

function findingOf(traceId: string): Promise<Found> {
  return eventually('the finding', async () => {
    const { stdout } = spanwarden('findings', 'list', '--json', '--trace', traceId);
    return (JSON.parse(stdout || '[]') as Found[])[0];
  });
}

interface Status {
  readonly name: string;
  readonly verdict: string;
  readonly says: string;
  readonly spans: number;
  readonly matches: number;
  readonly suppressed: number;
  readonly findings: number;
  readonly falsePositives: number;
}

function statusOf(name: string, holds: (status: Status) => boolean): Promise<Status> {
  return eventually(`the status of ${name}`, async () => {
    const { stdout, code } = spanwarden('rules', 'status', '--json');
    const all = code === 0 ? (JSON.parse(stdout) as { rules: Status[] }).rules : [];
    const status = all.find((each) => each.name === name);
    return status && holds(status) ? status : undefined;
  });
}

async function warnings(): Promise<string> {
  const response = await fetch(`${collector.url}/readyz`);
  return ((await response.json()) as { warnings: string[] }).warnings.join('\n');
}

test('status tells what rules saw and found, and which cannot fire', async () => {
  await findingOf(await send('shop', 'broken'));
  const status = await statusOf('refund', ({ findings, matches }) => findings === 1 && matches === 1);
  assert.deepEqual([status.verdict, status.spans], ['fires', 1]);
  const never = await statusOf('budget', ({ spans }) => spans === 1);
  assert.equal(never.says, 'cannot fire: field shop.budget.left has never been seen');
  const { stdout } = spanwarden('rules', 'status');
  assert.match(stdout, /budget .*cannot fire[\s\S]*refund .*fires[\s\S]*2 rules: 1 cannot fire, 1 firing/);
  const unknown = spanwarden('rules', 'status', 'refunds');
  assert.deepEqual([unknown.code, /Write refund\./.test(unknown.stderr)], [2, true]);
});

test('a broken edit changes nothing and is told; a good one counts from then on', async () => {
  writeFileSync(ruleFile, refund.replace('condition: paid', 'condition: payed'));
  await eventually('the refusal', async () => ((await warnings()).includes('refund.yml:12:14') ? true : undefined));
  await findingOf(await send('shop', 'late'));
  await eventually('the refusal in the status', async () => {
    return spanwarden('rules', 'status').stdout.includes('The newest rules have errors') ? true : undefined;
  });
  const renamed = refund
    .replace('3f2f2a54', '5f2f2a54')
    .replace('name: refund', 'name: refund_paid')
    .replace('level:', 'related: [{id: 3f2f2a54-7ed9-4d3f-a8d8-6f1f6d9f2b10, type: renamed}]\nlevel:');
  writeFileSync(ruleFile, renamed);
  await eventually('the reload', async () => ((await warnings()) === '' ? true : undefined));
  await findingOf(await send('shop', 'wrong size'));
  const status = await statusOf('refund_paid', ({ findings, matches }) => findings === 3 && matches === 3);
  assert.equal(status.spans, 3, 'what stands under the former id is the rule’s own');
  await eventually('all findings under the new name', async () => {
    const { stdout } = spanwarden('findings', 'list', '--json', '--rule', 'refund_paid');
    return (JSON.parse(stdout) as Found[]).length === 3 ? true : undefined;
  });
});

test('a mark keeps who, when and why, and comes with files that hold', async () => {
  const { id } = await findingOf(await send('shop', 'defect'));
  const marked = spanwarden(
    ...['findings', 'mark', id.slice(0, 12), 'false-positive', '--reason', 'defects are refunded', '--by', 'alice'],
    ...['--write-suppression', rules, '--write-test', rules],
  );
  assert.equal(marked.code, 0, marked.stderr);
  assert.match(marked.stdout, /In the last 30 days it would have hidden 1 finding, 0 of them confirmed\./);
  const shown = JSON.parse(spanwarden('findings', 'show', id, '--json').stdout);
  const [{ disposition, by, reason }] = shown.marks;
  assert.deepEqual([disposition, by, reason], ['false-positive', 'alice', 'defects are refunded']);
  assert.match(spanwarden('findings', 'list', '--disposition', 'false-positive').stdout, /Refund/);
  const files = readdirSync(rules).filter((name) => name.startsWith('refund-paid'));
  assert.equal(files.length, 2);
  const written = readFileSync(join(rules, files.find((name) => !name.includes('.test.'))!), 'utf8');
  assert.match(written, /scope:\n {2}agent: shop[\s\S]*spanwarden\.argument\.reason: defect/);
  assert.doesNotMatch(readFileSync(join(rules, files.find((name) => name.includes('.test.'))!), 'utf8'), /unneeded/);
  assert.match(spanwarden('rules', 'test', rules).stdout, /2 passed, 0 failed/);
  const again = spanwarden('findings', 'mark', id, 'false-positive', '--reason', 'x', '--write-suppression', rules);
  assert.match(again.stderr, /is there already/);
});

test('the suppression takes what it is for and nothing else, and is counted', async () => {
  await eventually('the suppression to be taken', async () => {
    await send('shop', 'defect');
    const { stdout } = spanwarden('suppressions', 'list', '--json');
    const [only] = (JSON.parse(stdout) as { suppressions: { suppressed: number; owner: string }[] }).suppressions;
    return only !== undefined && only.suppressed > 0 && only.owner === 'alice' ? true : undefined;
  });
  await findingOf(await send('shop', 'other'));
  await findingOf(await send('warehouse', 'defect'));
  await statusOf('refund_paid', ({ suppressed, falsePositives }) => suppressed > 0 && falsePositives === 1);
});

test('a preview tells what a filter would have hidden, and how much of it was right', async () => {
  const { id } = await findingOf(await send('shop', 'fraud'));
  assert.equal(spanwarden('findings', 'mark', id, 'true-positive', '--reason', 'fraud').code, 0);
  const file = join(home.directory, 'broad.yml');
  writeFileSync(
    file,
    'title: Broad\nid: 2b7e6a1c-6d55-4c8e-8a53-0c6b9a1e2f30\nowner: bob\nreason: r\nexpires: 2099-01-01\n' +
      'logsource: {product: ai_agent}\nfilter:\n  rules: [refund]\n  q: {gen_ai.agent.name: shop}\n  condition: not q\n',
  );
  const { stdout, stderr } = spanwarden('suppressions', 'preview', file, '--json');
  assert.match(stderr, /no loaded rule/);
  writeFileSync(file, readFileSync(file, 'utf8').replace('[refund]', '[3f2f2a54-7ed9-4d3f-a8d8-6f1f6d9f2b10]'));
  assert.equal(JSON.parse(stdout).previews[0].findings, 0);
  const [preview] = JSON.parse(spanwarden('suppressions', 'preview', file, '--json').stdout).previews;
  assert.equal(preview.confirmed, 1);
  assert.equal(preview.examples[0], id);
  assert.deepEqual(
    preview.byAgent.map(({ agent }: { agent: string }) => agent),
    ['shop'],
  );
  assert.ok(preview.hidden < preview.findings, 'those of the other agent stay');
  assert.match(
    spanwarden('suppressions', 'preview', file).stdout,
    /Would have hidden \d+ findings of the last 30 days, 1 of them confirmed/,
  );
  assert.equal(spanwarden('suppressions', 'preview', ruleFile).code, 2);
});

test('a signal and a request read the rules again, a page in a browser cannot', async () => {
  const reload = (headers: Record<string, string>) => fetch(`${collector.url}/-/reload`, { method: 'POST', headers });
  assert.equal((await reload({})).status, 200);
  assert.equal((await reload({ origin: 'https://page.example' })).status, 401);
  const reloads = async () => {
    const text = await (await fetch(`${collector.url}/metrics`)).text();
    return Number(/^spanwarden_rules_reloads (\d+)$/m.exec(text)?.[1]);
  };
  const before = await reloads();
  process.kill(collector.pid, 'SIGHUP');
  await eventually('the reload', async () => ((await reloads()) > before ? true : undefined));
});
