import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { lintRules } from '../../detect/lint.ts';
import { runRuleTests } from '../../detect/rule-tests.ts';
import { createFieldTable } from '../../model/fields.ts';
import type { CategoryName } from '../../model/span-events.ts';
import { taxonomy } from '../../normalise/taxonomy.ts';
import { type RuleWishes, scaffoldRule } from '../rule-scaffold.ts';
import { createTestEvents } from '../rule-test-events.ts';

const folder = mkdtempSync(join(tmpdir(), 'spanwarden-rules-new-'));
after(() => rmSync(folder, { recursive: true }));
const main = fileURLToPath(new URL('../../main.ts', import.meta.url));

function rules(args: readonly string[], input = '') {
  return spawnSync(process.execPath, [main, 'rules', ...args], { encoding: 'utf8', cwd: folder, input });
}

const refund = ['--title', 'Refund above the limit', '--category', 'tool', '--field', 'spanwarden.argument.amount|gt'];

describe('spanwarden rules new', () => {
  test('writes a rule and a test that lint clean and pass', () => {
    const made = rules(['new', 'exfiltration/large-refund', ...refund, '--value', '500', '--level', 'high', '--json']);
    assert.equal(made.status, 0, made.stderr);
    const files = JSON.parse(made.stdout);
    assert.deepEqual(files, {
      rule: join('rules', 'exfiltration', 'large-refund.yml'),
      test: join('rules', 'exfiltration', 'large-refund.test.yml'),
    });
    assert.match(readFileSync(join(folder, files.rule), 'utf8'), /^name: large_refund\n.*^level: high\n.*\|gt: 500$/ms);
    const lint = rules(['lint', 'rules', '--json']);
    assert.deepEqual(JSON.parse(lint.stdout), { rules: 1, errors: [], warnings: [] });
    assert.match(rules(['test', 'rules']).stdout, /2 passed, 0 failed, 0 errors/);
  });

  test('never overwrites', () => {
    const before = readFileSync(join(folder, 'rules/exfiltration/large-refund.yml'), 'utf8');
    const again = rules(['new', 'exfiltration/large-refund', ...refund, '--value', '900']);
    assert.equal(again.status, 2);
    assert.match(again.stderr, /large-refund\.yml is already there/);
    assert.equal(readFileSync(join(folder, 'rules/exfiltration/large-refund.yml'), 'utf8'), before);
  });

  test('asks for what no option says', () => {
    const answers = 'Says: the word\nllm\nspanwarden.text.user|contains\nno\nowasp.llm01\n';
    const { status, stderr, stdout } = rules(['new', 'my-own/word', '--dir', 'mine'], answers);
    assert.equal(status, 0, stderr);
    assert.match(stderr, /What does the rule find.*Which spans.*Which field.*Which value.*Which tag/s);
    assert.match(stdout, /wrote mine.my-own.word\.yml\nwrote mine.my-own.word\.test\.yml\n/);
  });

  test('ends with 2 and writes nothing when no rule can be made', () => {
    const place = join(folder, 'rules', 'execution');
    for (const [args, message] of [
      [['new', 'execution/x', ...refund], /needs a value.*--value <value>/s],
      [['new', '../x', ...refund, '--value', '1'], /is no place for a rule/],
      [['new', 'execution/x', ...refund.slice(0, -1), 'spanwarden.arguments', '--value', '1'], /there is no field/],
      [
        ['new', 'execution/x', ...refund.slice(0, -1), 'spanwarden.flow.sink_kinds', '--value', 'pay'],
        /no example span/,
      ],
    ] as const) {
      const { status, stderr, stdout } = rules(args);
      assert.match(stderr, message);
      assert.deepEqual([status, stdout, existsSync(place)], [2, '', false]);
    }
  });
});

describe('a new rule is clean and its test passes', () => {
  const wishes: readonly (readonly [CategoryName | 'any', string, string, string?])[] = [
    ['tool', 'gen_ai.tool.name', 'payments.refund'],
    ['tool', 'gen_ai.tool.name|neq', 'lookup'],
    ['tool', 'spanwarden.argument.card.number|startswith', '4'],
    ['tool', 'spanwarden.effect.commands|re', '\\bcurl\\b.*\\|\\s*sh', 'curl x | sh'],
    ['tool', 'spanwarden.effect.external_domains', 'evil.example', 'https://evil.example/x'],
    ['tool', 'spanwarden.effect.kinds', 'send'],
    ['tool', 'spanwarden.effect.paths|startswith', '/etc/'],
    ['tool', 'spanwarden.argument.address|cidr', '10.0.0.0/8'],
    ['tool', 'span.status_code', 'error'],
    ['llm', 'spanwarden.text.output|base64offset|contains', 'secret'],
    ['tool', 'span.duration_ms|gte', '1500'],
    ['tool', 'resource.deployment.environment.name', 'production'],
    ['tool', 'user.id|exists', 'true'],
    ['tool', 'user.id|exists', 'false'],
    ['llm', 'spanwarden.text.tool_result|contains', 'ignore: "all"'],
    ['llm', 'spanwarden.text.output|contains', 'off'],
    ['llm', 'spanwarden.proposed.tool_names', 'pay'],
    ['llm', 'gen_ai.usage.input_tokens|gt', '100000'],
    ['any', 'shop.region', 'eu'],
    ['agent', 'gen_ai.agent.name|contains', 'billing'],
    ['db', 'db.query.text|contains', 'DROP TABLE'],
    ['http', 'http.response.status_code', '404'],
    ['mcp', 'span.name|startswith', 'tools/'],
  ];
  for (const [category, field, value, example] of wishes) {
    test(`${category}: ${field}: ${value}`, () => {
      const base: RuleWishes = {
        ...{ name: 'a-rule', title: 'A rule', level: 'low', tag: 'owasp.asi02', category, field, value },
        example,
      };
      const { rule, test: tests } = scaffoldRule(base, new Date(0));
      const { rules: loaded, errors, warnings } = lintRules([{ path: 'r.yml', text: rule }], { knownFields: taxonomy });
      assert.deepEqual([...errors, ...warnings], []);
      const fields = createFieldTable();
      const run = runRuleTests({
        rules: loaded,
        tests: [{ path: 'r.test.yml', text: tests }],
        fields,
        eventsFrom: createTestEvents(fields),
      });
      assert.deepEqual(run.problems, []);
      assert.deepEqual(
        run.results.map(({ kind, status }) => [kind, status]),
        [
          ['match', 'passed'],
          ['near_miss', 'passed'],
        ],
      );
    });
  }
});
