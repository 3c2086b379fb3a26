import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { lintRules } from '../../detect/lint.ts';
import { loadRules } from '../../detect/load.ts';
import { type RuleTestRun, runRuleTests } from '../../detect/rule-tests.ts';
import { createFieldTable } from '../../model/fields.ts';
import { taxonomy } from '../../normalise/taxonomy.ts';
import { readRuleFiles, shippedRulesPath } from '../load-rules.ts';
import { createTestEvents } from '../rule-test-events.ts';

const folder = mkdtempSync(join(tmpdir(), 'spanwarden-rules-'));
after(() => rmSync(folder, { recursive: true }));
const main = fileURLToPath(new URL('../../main.ts', import.meta.url));

function rules(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'rules', ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

describe('shipped rules', () => {
  const files = readRuleFiles([shippedRulesPath()]);

  test('have nothing to lint', () => {
    const { errors, warnings } = lintRules(files.rules, { knownFields: taxonomy });
    assert.deepEqual([...errors, ...warnings], []);
  });

  test('hold their tests through decode and normalise, each with a match and a near miss', () => {
    const run = runTests();
    assert.deepEqual(run.problems, []);
    assert.deepEqual(
      run.results.filter(({ status }) => status === 'failed'),
      [],
    );
    assert.ok(run.results.length > 100);
  });

  test('that read wording alone are never high', () => {
    for (const { meta, syntax } of loadRules(files.rules).rules) {
      const reads = JSON.stringify([...syntax.detection.identifiers.values()], (_, value) =>
        typeof value === 'bigint' ? String(value) : value,
      );
      const actions = /spanwarden\.(?:effect|flow|outgoing|sandbox|argument)|gen_ai\.tool\.name|user\.id/.test(reads);
      if (!actions) assert.ok(meta.level !== 'high' && meta.level !== 'critical', meta.title);
    }
  });

  function runTests(): RuleTestRun {
    const fields = createFieldTable();
    return runRuleTests({
      ...loadRules(files.rules),
      tests: files.tests,
      fields,
      eventsFrom: createTestEvents(fields),
    });
  }
});

describe('spanwarden rules', () => {
  const good = join(folder, 'good.yml');
  const rule =
    'title: Pays\nid: pays\nlogsource: {product: ai_agent, category: tool}\ndetection:\n  s: {gen_ai.tool.name: pay}\n  condition: s\n';
  writeFileSync(good, rule);
  writeFileSync(
    join(folder, 'good.test.yml'),
    'matches:\n  - case: a\n    tool: pay\nnear_misses:\n  - case: b\n    tool: pay\n',
  );

  test('lint and list the shipped rules', () => {
    const lint = rules('lint', '--json');
    assert.equal(lint.status, 0, lint.stderr);
    assert.deepEqual(JSON.parse(lint.stdout).errors, []);
    const list = rules('list');
    assert.equal(list.status, 0);
    assert.match(list.stdout, /injected_sink_call/);
    assert.ok(!list.stdout.includes('\u001b'));
  });

  test('test ends with 1 and the place when a case does not hold', () => {
    const { status, stdout } = rules('test', folder);
    assert.equal(status, 1);
    assert.match(stdout, /good\.test\.yml:5:5: Pays: b: the span matched but must not/);
    assert.match(stdout, /1 passed, 1 failed/);
    const json = JSON.parse(rules('test', folder, '--json').stdout);
    assert.deepEqual([json.passed, json.failed], [1, 1]);
  });

  test('lint tells errors of all files at once and ends with 1', () => {
    const bad = join(mkdtempSync(join(folder, 'bad-')), 'bad.yml');
    writeFileSync(bad, rule.replace('condition: s', 'condition: t').replace('title', 'titel'));
    const { status, stdout } = rules('lint', bad);
    assert.equal(status, 1);
    assert.match(stdout, /bad\.yml:1:1: unknown key `titel`/);
    assert.match(stdout, /bad\.yml:6:14: the identifier `t` is not defined/);
    assert.equal(rules('test', bad).status, 2);
  });

  test('a file that cannot be read hides nothing of what is wrong in others, lists and tests among them', () => {
    const bad = mkdtempSync(join(folder, 'bad-'));
    mkdirSync(join(bad, 'lists'));
    writeFileSync(
      join(bad, 'bad.yml'),
      rule.replace('name: pay', 'name: pay, span.durationms: 5').replace('level', 'x'),
    );
    writeFileSync(join(bad, 'huge.yml'), 'a'.repeat(10_000_000));
    writeFileSync(join(bad, 'latin.yml'), Buffer.from([0xe4]));
    writeFileSync(join(bad, 'typo.yml'), `${rule}levle: high\n`.replace('gen_ai.tool', 'span.nam'));
    writeFileSync(join(bad, 'lists', 'broken.yml'), '- {a: b}\n');
    const { status, stdout } = rules('lint', bad);
    assert.equal(status, 1);
    const places = [...stdout.matchAll(/^error .*\/(.*?): (.*) \(SW_/gm)].map(
      ([, place, message]) => `${place} ${message}`,
    );
    assert.deepEqual(
      places.filter((line) => !/no (?:match|near miss)/.test(line)),
      [
        'bad.yml:5:30 there is no field `span.durationms`',
        'huge.yml:1:1 the file is larger than 1048576 bytes',
        'latin.yml:1:1 the file is not UTF-8',
        'broken.yml:1:3 a list holds texts',
        'typo.yml:5:7 there is no field `span.nam.name`',
        'typo.yml:7:1 unknown key `levle`',
      ],
    );
    const loading = rules('test', bad);
    assert.equal(loading.status, 2);
    for (const file of ['huge', 'latin', 'broken', 'typo']) assert.match(loading.stderr, new RegExp(`${file}\\.yml:`));
  });

  test('a path that is not there is wrong usage', () => {
    const { status, stderr } = rules('lint', join(folder, 'nowhere'));
    assert.equal(status, 2);
    assert.match(stderr, /no such file or folder/);
    const json = rules('list', join(folder, 'nowhere'), '--json');
    assert.equal(json.status, 2);
    assert.equal(JSON.parse(json.stdout).errors[0].code, 'SW_RULE_FILE');
    assert.equal(rules('lint', '--list', 'nonsense').status, 2);
  });
});
