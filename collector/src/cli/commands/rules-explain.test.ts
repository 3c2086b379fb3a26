import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { shippedRulesPath } from '../load-rules.ts';

const folder = mkdtempSync(join(tmpdir(), 'spanwarden-explain-'));
after(() => rmSync(folder, { recursive: true }));
const main = fileURLToPath(new URL('../../main.ts', import.meta.url));

function explain(args: readonly string[], input = '') {
  const all = [main, 'rules', 'explain', ...args];
  return spawnSync(process.execPath, all, { encoding: 'utf8', input, cwd: folder });
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const rule = file(
  'refund.yml',
  'title: Refunds\nid: refunds\nlogsource: {product: ai_agent, category: tool}\ndetection:\n  selection:\n' +
    '    gen_ai.tool.name: payments.refund\n    spanwarden.argument.amount|gt: 500\n    user.id|exists: true\n  condition: selection\n',
);
const traceId = '5b8efff798038103d269b633813fc60c';
const otlpSpan = (spanId: string, name: string) => ({
  traceId,
  spanId,
  name: `execute_tool ${name}`,
  startTimeUnixNano: '1767261600000000000',
  endTimeUnixNano: '1767261601000000000',
  attributes: [
    { key: 'gen_ai.operation.name', value: { stringValue: 'execute_tool' } },
    { key: 'gen_ai.tool.name', value: { stringValue: name } },
    { key: 'gen_ai.tool.call.arguments', value: { stringValue: '{"amount":900}' } },
    { key: 'user.id', value: { stringValue: 'u1' } },
  ],
});
const otlp = file(
  'spans.json',
  JSON.stringify({
    resourceSpans: [
      {
        scopeSpans: [
          { spans: [otlpSpan('eee19b7ec3c1b174', 'payments.refund'), otlpSpan('eee19b7ec3c1b175', 'lookup')] },
        ],
      },
    ],
  }),
);

describe('spanwarden rules explain', () => {
  test('says what is missing, of a span on stdin', () => {
    const { status, stdout, stderr } = explain(
      [rule, '-'],
      'tool: payments.refund\narguments: {amount: 400, note: "\\e[31m"}\n',
    );
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^✗ Refunds does not match$/m);
    assert.match(stdout, /✓ logsource: reads tool; the span is tool/);
    assert.match(stdout, /✓ gen_ai\.tool\.name equals "payments\.refund"\n +has payments\.refund/);
    assert.match(stdout, /✗ spanwarden\.argument\.amount .*500.*\n +has 400/);
    assert.match(stdout, /✗ user\.id exists\n +the span has no user\.id/);
    assert.ok(!stdout.includes('\u001b'));
  });

  test('reads OTLP/JSON, all of it or one span', () => {
    const all = JSON.parse(explain([rule, otlp, '--json']).stdout).explanations;
    assert.deepEqual(
      all.map((each: { matched: boolean; span: object }) => [each.matched, each.span]),
      [
        [true, { traceId, spanId: 'eee19b7ec3c1b174', name: 'execute_tool payments.refund', caseName: '' }],
        [false, { traceId, spanId: 'eee19b7ec3c1b175', name: 'execute_tool lookup', caseName: '' }],
      ],
    );
    const one = explain([rule, `${otlp}#eee19b7ec3c1b175`]);
    assert.match(one.stdout, /execute_tool lookup/);
    assert.ok(!one.stdout.includes('payments.refund ('));
  });

  test('takes a shipped rule by its name, and the cases of its tests', () => {
    const tests = join(shippedRulesPath(), 'execution/remote-code.test.yml');
    const { explanations } = JSON.parse(explain(['remote_code', tests, '--json']).stdout);
    const verdicts = explanations.map((each: { matched: boolean }) => each.matched);
    assert.deepEqual(verdicts, [true, true, true, true, false, false, false, false, false]);
    const { stdout } = explain(['remote_code', `${tests}#process substitution`]);
    assert.match(stdout, /^✓ .*\n.*\(case: process substitution\)/);
  });

  test('takes a file with several correlations, also where the tests are about one of them', () => {
    const base =
      'title: A\nname: a\nlogsource: {category: tool}\ndetection:\n  s: {gen_ai.tool.name: a}\n  condition: s\n';
    const counts = (name: string, gte: number) =>
      `title: ${name}\nname: ${name}\ncorrelation: {type: event_count, rules: [a], group-by: [], timespan: 1m, condition: {gte: ${gte}}}\n`;
    const both = file('both.yml', [base, counts('two', 2), counts('three', 3)].join('---\n'));
    const tests = file(
      'both.test.yml',
      'rule: three\nnear_misses:\n  - case: only two\n    spans: [{tool: a}, {tool: a}]\n',
    );
    const { stdout, stderr } = explain([both, `${tests}#only two`]);
    assert.match(stdout, /^✗ three does not match[\s\S]*1 short of 3\n\n?$/, stderr);
  });

  test('says of an empty text that it is there', () => {
    const { stdout } = explain(
      [rule, '-'],
      "tool: payments.refund\nattributes: {user.id: ''}\narguments: {amount: ''}\n",
    );
    assert.match(stdout, /amount gt 500\n +has an empty text/);
  });

  test('ends with 2 when the rule or the span cannot be read', () => {
    const broken = file('broken.yml', 'title: x\n');
    const empty = file('empty.yml', '');
    for (const [args, message] of [
      [['no_such_rule', otlp], /no rule has the id or name no_such_rule/],
      [[broken, otlp], /broken\.yml:1:1: the rule has no logsource/],
      [[rule, join(folder, 'none.yml')], /there is no file/],
      [[rule, empty], /holds no span/],
      [[rule, `${otlp}#0000000000000001`], /no span of .*spans\.json is called 0000000000000001/],
      [[rule, file('odd.yml', 'tol: x\n')], /odd\.yml:1:1: unknown key `tol`/],
      [[rule, file('odd.json', '{"resourceSpans": [')], /odd\.json: body is not JSON/],
    ] as const) {
      const { status, stderr, stdout } = explain(args);
      assert.match(stderr, message);
      assert.deepEqual([status, stdout], [2, '']);
    }
  });

  test('ends with 3 when a stored span is asked for and no ClickHouse runs', () => {
    const config = file('spanwarden.yaml', `data_dir: ${join(folder, 'nothing')}\n`);
    const { status, stderr } = explain([rule, `${traceId}/eee19b7ec3c1b174`, '--config', config]);
    assert.match(stderr, /no collector runs/);
    assert.equal(status, 3);
  });
});
